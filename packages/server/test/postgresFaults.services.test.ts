import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type LogStore, openPostgresLog, type PostgresLogOptions } from '../src/index.js'
import type { TestSchema } from '../src/testing.js'
import { until } from './support/harness.js'
import { openProxy, type ServiceProxy } from './support/proxy.js'
import { newSchema } from './support/services.js'

const unavailable = { code: 'store-unavailable' }
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

async function open(url: string, options: Partial<PostgresLogOptions> = {}): Promise<LogStore> {
  const store = await openPostgresLog({ url, ...options })
  onTestFinished(() => store.close())
  return store
}

/** A store whose way to PostgreSQL can be blocked. */
async function openBehindProxy(
  options: Partial<PostgresLogOptions> = {},
): Promise<{ store: LogStore; proxy: ServiceProxy; schema: TestSchema }> {
  const schema = await newSchema()
  const proxy = await openProxy(schema.url)
  return { store: await open(proxy.url, options), proxy, schema }
}

/** Somebody who writes without pause, and remembers which of the numbers written were acknowledged and which refused. */
function startWriter(store: LogStore, room: string, from: number) {
  const acknowledged: number[] = []
  const refused: unknown[] = []
  let stopped = false
  const done = (async () => {
    for (let n = 0; !stopped; n++) {
      const update = new Uint8Array(Uint32Array.of(from, n).buffer)
      await store.append(room, update).then(
        () => acknowledged.push(n),
        (error) => refused.push(error),
      )
    }
  })()
  return {
    acknowledged,
    refused,
    stop() {
      stopped = true
      return done
    },
    async missing(): Promise<number[]> {
      const { rows } = await store.load(room)
      const stored = new Set(
        rows
          .map(({ update }) => new Uint32Array(update.buffer))
          .flatMap(([by, n]) => (by === from ? [n] : [])),
      )
      return acknowledged.filter((n) => !stored.has(n))
    },
  }
}

describe('a log in PostgreSQL, when something goes wrong', () => {
  it('[L32] loses nothing that was acknowledged when its connections are ended under load, again and again', {
    timeout: 30_000,
  }, async () => {
    const schema = await newSchema()
    const store = await open(schema.url)
    const writers = Array.from({ length: 8 }, (_, n) => startWriter(store, `room ${n % 4}`, n))
    for (let round = 0; round < 10; round++) {
      const before = writers.map(({ acknowledged }) => acknowledged.length)
      await until('all writers write', () =>
        writers.every(({ acknowledged }, n) => acknowledged.length > (before[n] ?? 0) + 2),
      )
      await schema.terminate()
    }
    await Promise.all(writers.map((writer) => writer.stop()))
    for (const writer of writers) {
      expect(await writer.missing()).toEqual([])
      for (const error of writer.refused) expect(error).toMatchObject(unavailable)
    }
    // Or nothing would have been shown.
    expect(writers.flatMap(({ refused }) => refused).length).toBeGreaterThan(0)
  })

  it('[L32] refuses a write whose answer is lost, does not write again, and finds what was written', async () => {
    const { store, proxy } = await openBehindProxy()
    await store.append('alice', bytes(1))
    proxy.loseNextAnswer()
    await expect(store.append('alice', bytes(2))).rejects.toMatchObject(unavailable)
    expect(await store.append('alice', bytes(3))).toBe(3)
    expect((await store.load('alice')).rows.map(({ update }) => update[0])).toEqual([1, 2, 3])
  })

  it('[L32] asks again for what was lost while it read', async () => {
    const { store, proxy } = await openBehindProxy()
    await store.append('alice', bytes(1))
    await store.load('alice')
    const before = proxy.connections
    proxy.loseNextAnswer()
    expect((await store.load('alice')).rows).toHaveLength(1)
    expect(proxy.connections).toBeGreaterThan(before)
  })

  it('[L32] waits for a PostgreSQL that restarts, and goes on', async () => {
    const { store, proxy } = await openBehindProxy()
    await proxy.cut()
    const [written, read] = [store.append('alice', bytes(1)), store.load('alice')]
    let settled = 0
    for (const one of [written, read]) void one.finally(() => settled++)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(settled).toBe(0)
    await proxy.restore()
    expect(await written).toBe(1)
    expect((await read).rows.length).toBeLessThanOrEqual(1)
  })

  it('[L32] refuses writes and reads while PostgreSQL is away for longer, and is there again with it', async () => {
    const { store, proxy } = await openBehindProxy({ timing: { connectMs: 300 } })
    await store.append('alice', bytes(1))
    await proxy.cut()
    await expect(store.append('alice', bytes(2))).rejects.toMatchObject(unavailable)
    await expect(store.appendOwn('bob', { compose: () => null })).rejects.toMatchObject(unavailable)
    await expect(store.load('alice')).rejects.toMatchObject(unavailable)
    await expect(store.check()).rejects.toMatchObject(unavailable)
    await proxy.restore()
    await store.check()
    expect(await store.append('alice', bytes(3))).toBe(2)
  })

  it('[L33] does not wait for ever for a PostgreSQL that hangs, and goes on when it no longer does', async () => {
    const { store, proxy } = await openBehindProxy({ timing: { connectMs: 300, answerMs: 300 } })
    const stored = await store.append('alice', bytes(1))
    await store.load('alice')
    proxy.hang()
    await Promise.all([
      expect(store.append('alice', bytes(2))).rejects.toMatchObject(unavailable),
      expect(store.load('alice')).rejects.toMatchObject(unavailable),
      expect(store.compact('alice', { through: stored, snapshot: bytes(9) })).rejects.toMatchObject(
        unavailable,
      ),
    ])
    // New connections get no answer either.
    await expect(store.check()).rejects.toMatchObject(unavailable)
    await proxy.restore()
    await store.check()
    const version = await store.append('alice', bytes(3))
    expect((await store.load('alice')).version).toBe(version)
  })

  it('[L33] refuses what PostgreSQL itself takes too long for, and has not done it', async () => {
    const schema = await newSchema()
    const store = await open(schema.url, { timing: { statementMs: 200 } })
    await store.append('alice', bytes(1))
    await schema.query(
      'create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end $$',
    )
    await schema.query(
      'create trigger slow before insert on parley_rows for each row execute function slow()',
    )
    await expect(store.append('alice', bytes(2))).rejects.toMatchObject(unavailable)
    await schema.query('drop trigger slow on parley_rows')
    expect(await store.append('alice', bytes(3))).toBe(2)
  })

  it('[L31] makes other rooms wait once for a room that somebody holds, which then waits by itself', async () => {
    const schema = await newSchema()
    const store = await open(schema.url, { timing: { lockMs: 300 } })
    await Promise.all(['held', 'free'].map((room) => store.append(room, bytes(1))))
    const holder = new Client(schema.url)
    await holder.connect()
    onTestFinished(() => holder.end())
    await holder.query('begin')
    await holder.query("select from parley_rooms where room = 'held' for update")

    const together = [store.append('held', bytes(2)), store.append('free', bytes(2))] as const
    await expect(together[0]).rejects.toMatchObject(unavailable)
    expect(await together[1]).toBe(2)
    // From now on nobody waits for it.
    let settled = false
    const held = store.append('held', bytes(3)).finally(() => {
      settled = true
    })
    expect(await store.append('free', bytes(3))).toBe(3)
    expect(settled).toBe(false)
    await holder.query('rollback')
    expect(await held).toBe(2)
    expect((await store.load('held')).rows.map(({ update }) => update[0])).toEqual([1, 3])
  })

  it('[L31] writes the same rooms and values from two servers in groups, neither waiting for the other in a circle', async () => {
    const schema = await newSchema()
    let groups = 0
    const onBatch = (): void => void groups++
    const [one, other] = [await open(schema.url, { onBatch }), await open(schema.url, { onBatch })]
    const rooms = Array.from({ length: 40 }, (_, n) => `room ${n}`)
    const rounds = 10
    for (let round = 0; round < rounds; round++) {
      const value = new Map([['x', round % 2 ? null : bytes(round)]])
      // Some are new in each round, and the servers have them in opposite orders.
      const known = rooms.slice(0, 20 + 2 * round)
      await Promise.all(
        [
          { store: one, order: known },
          { store: other, order: [...known].reverse() },
        ].flatMap(({ store, order }) =>
          order.flatMap((room) => [
            store.append(room, bytes(round)),
            store.values.write(`room:${room}`, value),
          ]),
        ),
      )
    }
    expect((await one.heads(rooms)).get('room 0')).toBe(2 * rounds)
    // PostgreSQL refuses a group that waits in a circle, and then each of its rooms would have been one of its own.
    expect(groups).toBeLessThan(5 * rounds)
  })

  it('[L31] writes nothing twice where a room is left out of a group first and refused then', async () => {
    const schema = await newSchema()
    const [store, other] = [await open(schema.url), await open(schema.url)]
    const own = { compose: () => ({ update: bytes(1), clocks: 1 }) }
    await store.appendOwn('bob', own)
    // From now on the first one composes for a turn that is over, and its first statement leaves the room out.
    await other.appendOwn('bob', own)
    await schema.query(`create function refuse() returns trigger language plpgsql as $$ begin
      if new.room_id = (select id from parley_rooms where room = 'bob') then raise 'not now'; end if;
      return new; end $$`)
    await schema.query(
      'create trigger refuse before insert on parley_rows for each row execute function refuse()',
    )
    const [written, refused] = await Promise.allSettled([
      store.append('alice', bytes(1)),
      store.appendOwn('bob', own),
    ])
    expect(written).toEqual({ status: 'fulfilled', value: 1 })
    expect(refused).toMatchObject({ status: 'rejected', reason: unavailable })
    expect((await store.load('alice')).rows).toHaveLength(1)
    expect((await store.load('bob')).rows).toHaveLength(2)
  })

  it('[L34] does not open where commits are not durable', async () => {
    const { url } = await newSchema()
    const unsafe = new URL(url)
    unsafe.searchParams.set('options', `${unsafe.searchParams.get('options')} -c synchronous_commit=off`)
    await expect(openPostgresLog({ url: unsafe.href })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('synchronous_commit'),
    })
  })

  it('[L34] goes on to commit durably where that is switched off while it runs', async () => {
    const schema = await newSchema()
    const role = `parley_test_role_${Math.random().toString(36).slice(2)}`
    await schema.query(`create role ${role} login`)
    onTestFinished(async () => {
      await schema.query(`drop owned by ${role}`)
      await schema.query(`drop role ${role}`)
    })
    await schema.query(
      `do $$ begin execute format('grant all on schema %I to ${role}', current_schema()); end $$`,
    )
    const url = new URL(schema.url)
    url.username = role
    const store = await open(url.href)
    await store.append('alice', bytes(1))
    await schema.query(`alter role ${role} set synchronous_commit = off`)
    await schema.query('create table seen (setting text)')
    await schema.query(`grant all on seen to ${role}`)
    await schema.query(`create function look() returns trigger language plpgsql as
      $$ begin insert into seen values (current_setting('synchronous_commit')); return new; end $$`)
    await schema.query(
      'create trigger look before insert on parley_rows for each row execute function look()',
    )
    await schema.terminate()
    await until('it writes again', () =>
      store.append('alice', bytes(2)).then(
        () => true,
        () => false,
      ),
    )
    expect(await schema.query('select distinct setting from seen')).toEqual([{ setting: 'on' }])
    // Whoever connects as that role without saying otherwise gets what the role has.
    const other = new Client(url.href)
    await other.connect()
    const { rows } = await other.query("select current_setting('synchronous_commit') as setting")
    await other.end()
    expect(rows).toEqual([{ setting: 'off' }])
    await store.close()
  })

  it('[L35] creates its tables once, however many servers start', async () => {
    const schema = await newSchema()
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(schema.url)))
    await Promise.all(stores.map((store, n) => store.append('alice', bytes(n))))
    expect((await stores[0]?.load('alice'))?.version).toBe(5)
    expect(await schema.query('select format from parley_schema')).toHaveLength(1)
  })

  it('[L35] works with tables that a later server added to, beside that server', async () => {
    const schema = await newSchema()
    const before = await open(schema.url)
    await before.append('alice', bytes(1))
    await schema.query('insert into parley_schema (format, readable_from) values (99, 1)')
    await schema.query("alter table parley_rooms add column later text default 'x'")
    await schema.query("alter table parley_rows add column later text default 'x'")
    await schema.query('create table parley_later (id integer)')
    const after = await open(schema.url)
    expect(await before.append('alice', bytes(2))).toBe(2)
    expect(await after.append('alice', bytes(3))).toBe(3)
    await after.compact('alice', { through: 2, snapshot: bytes(9) })
    expect((await before.load('alice')).rows.map(({ version }) => version)).toEqual([3])
  })

  it('[L35] does not start on tables that a later server changed, and leaves them as they are', async () => {
    const schema = await newSchema()
    await (await open(schema.url)).close()
    await schema.query('insert into parley_schema (format, readable_from) values (99, 98)')
    await expect(openPostgresLog({ url: schema.url })).rejects.toMatchObject({
      code: 'store-damaged',
      message: expect.stringMatching(/format 99.*reads 1/),
    })
  })

  it('[L36] writes under a new client id where the history of the database is another one', async () => {
    const schema = await newSchema()
    const store = await open(schema.url)
    const seen: Array<{ client: number; clock: number }> = []
    const write = () =>
      store.appendOwn('alice', {
        compose(writer) {
          seen.push(writer)
          return { update: bytes(1), clocks: 4 }
        },
      })
    await write()
    await write()
    // As if all this had been written before a fail-over.
    await schema.query('update parley_rooms set writer_era = writer_era + 1')
    await write()
    await write()
    const [first, second, ...later] = seen
    expect(second).toEqual({ client: first?.client, clock: 4 })
    const [third, fourth] = later.slice(-2)
    expect(third?.clock).toBe(0)
    expect(third?.client).not.toBe(first?.client)
    expect(fourth).toEqual({ client: third?.client, clock: 4 })
  })

  it('[L37] frees what was deleted', async () => {
    const schema = await newSchema()
    const store = await open(schema.url)
    await Promise.all(Array.from({ length: 100 }, () => store.append('alice', new Uint8Array(1000).fill(7))))
    await store.delete('alice')
    // Others' transactions may still see it; then it is freed by the next one.
    await until('it is freed', async () => {
      await store.erase()
      const [size] = await schema.query<{ bytes: string }>("select pg_relation_size('parley_rows') as bytes")
      return Number(size?.bytes) === 0
    })
  })
})
