// Flips every single bit of a small store, one after the other, and prints what came of it. What was done is kept in a folder, so that
// a run that was ended goes on where it was: `pnpm test:bitflips [FOLDER]`.

import { fork } from 'node:child_process'
import { appendFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLevelLog } from '@parley/server'
import {
  bitsOf,
  filesOf,
  makeStore,
  placeOf,
  readAll,
  type StoreFile,
  scratchFolder,
  type Truth,
  tryFlip,
} from './flips.js'

/** So many flips are noted together. */
const CHUNK_FLIPS = 250

/** What a chunk of flips came to. */
interface Chunk {
  readonly first: number
  readonly flips: number
  readonly named: number
  /** Lines about flips that came to something they must not. */
  readonly wrong: readonly string[]
  readonly lost: readonly string[]
  readonly unnamed: readonly string[]
}

interface Plan {
  readonly files: readonly StoreFile[]
  readonly truth: Truth
}

const [folder = join(await scratchFolder(), 'parley-bitflips'), worker] = process.argv.slice(2)
const base = join(resolve(folder), 'store')
const planFile = join(resolve(folder), 'plan.json')
const resultsFile = join(resolve(folder), 'results.ndjson')

if (worker === undefined) await main()
else await work(JSON.parse(await readFile(planFile, 'utf8')) as Plan)

async function main(): Promise<void> {
  const plan = await makePlan()
  const total = bitsOf(plan.files)
  const known = await readResults()
  const done = new Set(known.map(({ first }) => first))
  const todo = Array.from({ length: Math.ceil(total / CHUNK_FLIPS) }, (_, n) => n * CHUNK_FLIPS).filter(
    (first) => !done.has(first),
  )
  console.log(`${total} bits in ${plan.files.length} files; ${todo.length} chunks of ${CHUNK_FLIPS} are left`)
  const failures = await Promise.all(
    Array.from({ length: availableParallelism() }, (_, n) => runWorker(n, todo)),
  )
  const chunks = await readResults()
  const sum = (count: (chunk: Chunk) => number): number =>
    chunks.reduce((all, chunk) => all + count(chunk), 0)
  for (const line of chunks.flatMap(({ wrong, lost, unnamed }) => [...wrong, ...lost, ...unnamed]))
    console.log(line)
  const flips = sum((chunk) => chunk.flips)
  const wrong = sum((chunk) => chunk.wrong.length)
  const lost = sum((chunk) => chunk.lost.length)
  const unnamed = sum((chunk) => chunk.unnamed.length)
  console.log(`flips                                      ${flips} of ${total}`)
  console.log(`wrong values served                        ${wrong}`)
  console.log(`rooms lost after verify --repair           ${lost}`)
  console.log(`start failures without a named command     ${unnamed}`)
  console.log(`start failures that name the command       ${sum((chunk) => chunk.named)}`)
  process.exitCode = flips < total || wrong + lost + unnamed > 0 || failures.some(Boolean) ? 1 : 0
}

async function makePlan(): Promise<Plan> {
  try {
    return JSON.parse(await readFile(planFile, 'utf8')) as Plan
  } catch {
    await rm(resolve(folder), { recursive: true, force: true })
    await mkdir(base, { recursive: true })
    await makeStore(base)
    // What opens a store begins a new log: so the files are counted before.
    const files = await filesOf(base)
    const copy = join(resolve(folder), 'sound')
    await cp(base, copy, { recursive: true })
    const store = await openLevelLog({ folder: copy })
    const plan = { files, truth: await readAll(store) }
    await store.close()
    await writeFile(planFile, JSON.stringify(plan))
    return plan
  }
}

async function readResults(): Promise<Chunk[]> {
  const text = await readFile(resultsFile, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Chunk)
}

/** Lets a process work through chunks until there are none; true if it failed. */
async function runWorker(number: number, todo: number[]): Promise<boolean> {
  const child = fork(fileURLToPath(import.meta.url), [folder, String(number)])
  return new Promise((settle) => {
    const next = (): void => void child.send(todo.shift() ?? -1)
    child.on('message', (chunk: Chunk | 'ready') => {
      if (chunk === 'ready') return next()
      void appendFile(resultsFile, `${JSON.stringify(chunk)}\n`).then(next)
    })
    child.on('exit', (code) => settle(code !== 0))
  })
}

async function work({ files, truth }: Plan): Promise<void> {
  const total = bitsOf(files)
  const copy = join(resolve(folder), `work-${worker}`)
  process.on('message', (first: number) => {
    if (first < 0) {
      void rm(copy, { recursive: true, force: true }).then(() => process.disconnect())
      return
    }
    void (async () => {
      const chunk = {
        first,
        flips: 0,
        named: 0,
        wrong: [] as string[],
        lost: [] as string[],
        unnamed: [] as string[],
      }
      for (let number = first; number < Math.min(total, first + CHUNK_FLIPS); number++) {
        const result = await tryFlip(base, copy, truth, placeOf(files, number))
        const where = `bit ${result.bit} of byte ${result.at} of ${result.file}`
        chunk.flips++
        if (result.named) chunk.named++
        if (result.wrong.length > 0) chunk.wrong.push(`wrong: ${where}: ${result.wrong.join(', ')}`)
        if (result.lost.length > 0) chunk.lost.push(`lost: ${where}: ${result.lost.join(', ')}`)
        if (result.unnamed !== null) chunk.unnamed.push(`not opened: ${where}: ${result.unnamed}`)
      }
      process.send?.(chunk)
    })()
  })
  process.send?.('ready')
}
