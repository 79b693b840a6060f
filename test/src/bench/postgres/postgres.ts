import { type LogStore, openPostgresLog } from '@parley/server'
import { Client } from 'pg'
import { type Benchmark, median, type Row, row } from '../measure.js'

const DEFAULT_URL = 'postgres://postgres@127.0.0.1:5432/test'
const SCHEMA = 'parley_bench'
const RUNS = 7
const RUN_MS = 2000
const WRITERS = 64
const UPDATE_BYTES = 120
const MEMBERS = 10_000

/** What the log in PostgreSQL takes, beside what PostgreSQL itself takes of rows that are brought in groups. */
export const postgres: Benchmark = {
  name: 'postgres',
  async run() {
    const address = new URL(process.env.PARLEY_TEST_DATABASE_URL ?? DEFAULT_URL)
    const client = new Client({ connectionString: address.href, options: `-c search_path=${SCHEMA}` })
    await client.connect().catch((cause) => {
      throw new Error(
        `The benchmark postgres needs PostgreSQL, at PARLEY_TEST_DATABASE_URL or ${DEFAULT_URL}`,
        {
          cause,
        },
      )
    })
    await client.query(`drop schema if exists ${SCHEMA} cascade`)
    await client.query(`create schema ${SCHEMA}`)
    address.searchParams.set('options', `-c search_path=${SCHEMA}`)
    const store = await openPostgresLog({ url: address.href })
    try {
      return [await appends(store, client), await messageToMany(store)]
    } finally {
      await store.close()
      await client.query(`drop schema ${SCHEMA} cascade`)
      await client.end()
    }
  },
}

async function appends(store: LogStore, client: Client): Promise<Row> {
  // What any log has: a room, a number, bytes, and a key to find them by.
  await client.query(
    'create table bare (room bytea, version bigint, bytes bytea, primary key (room, version))',
  )
  const insert = bareInserts(client)
  const rates: [number[], number[]] = [[], []]
  for (let run = 0; run <= RUNS; run++) {
    const measured = await writesPerSecond((room, update) => store.append(room, update))
    const reference = await writesPerSecond(insert)
    // The first ones also plan the statements and create the rooms.
    if (run === 0) continue
    rates[0].push(measured)
    rates[1].push(reference)
  }
  return row(
    `durable appends by ${WRITERS} writers in PostgreSQL, ${UPDATE_BYTES} bytes each, vs bare grouped inserts`,
    '1/s',
    median(rates[0]),
    median(rates[1]),
    { atLeast: 0.5 },
  )
}

/** Writers each of whom waits until what it wrote is durable before it goes on. */
async function writesPerSecond(
  write: (room: string, update: Uint8Array) => Promise<unknown>,
): Promise<number> {
  const update = new Uint8Array(UPDATE_BYTES).fill(7)
  let written = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, n) => {
      while (performance.now() - start < RUN_MS) {
        await write(`writer ${n}`, update)
        written++
      }
    }),
  )
  return (written / (performance.now() - start)) * 1000
}

/** Inserts rows with the numbers they are given: those that wait while one statement is under way share the next one. */
function bareInserts(client: Client): (room: string, update: Uint8Array) => Promise<void> {
  let waiting: Array<{ room: string; update: Uint8Array; done: () => void }> = []
  let version = 0
  let running = false
  const run = async (): Promise<void> => {
    running = true
    for (await null; waiting.length > 0; ) {
      const group = waiting
      waiting = []
      version++
      await client.query({
        name: 'bare',
        text: 'insert into bare select * from unnest($1::bytea[], $2::bigint[], $3::bytea[])',
        values: [
          group.map(({ room }) => Buffer.from(room)),
          group.map(() => version),
          group.map(({ update }) => Buffer.from(update)),
        ],
      })
      for (const { done } of group) done()
    }
    running = false
  }
  return (room, update) =>
    new Promise((done) => {
      waiting.push({ room, update, done })
      if (!running) void run()
    })
}

/** A message to a group is a row in the room of each member, written without looking at any document. */
async function messageToMany(store: LogStore): Promise<Row> {
  const update = new Uint8Array(UPDATE_BYTES).fill(7)
  const rooms = Array.from({ length: MEMBERS }, (_, n) => `member ${n}`)
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    await Promise.all(rooms.map((room) => store.appendOwn(room, { compose: () => ({ update, clocks: 1 }) })))
    times.push(performance.now() - start)
  }
  return row(`a message to ${MEMBERS} members, durable for all in PostgreSQL`, 'ms', median(times), null, {})
}
