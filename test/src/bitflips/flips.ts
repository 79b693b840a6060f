import { access, constants, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from '@parley/core'
import { type LogStore, openLevelLog, refuseUnfinished, repairFolder, ServerError } from '@parley/server'
import * as Y from 'yjs'

/** Where a store is opened hundreds of thousands of times: in memory, where the system has such a folder. */
export async function scratchFolder(): Promise<string> {
  return access('/dev/shm', constants.W_OK).then(
    () => '/dev/shm',
    () => tmpdir(),
  )
}

/** A file of a small store, relative to its data folder, and its size in bytes. */
export interface StoreFile {
  readonly name: string
  readonly bytes: number
}

/** What a flipped bit came to. */
export interface FlipResult {
  readonly file: string
  readonly at: number
  readonly bit: number
  /** Rooms and values that were served, before or after the repair, and are not what was written. */
  readonly wrong: readonly string[]
  /** Rooms that are not served as they were written after `parley verify --repair`. */
  readonly lost: readonly string[]
  /** Why the store was not opened, where the reason names no command to run; `null` if it was opened or the reason names one. */
  readonly unnamed: string | null
  /** True if the store was not opened, and the reason names the command to run. */
  readonly named: boolean
}

/** What is in a sound store, by room, and its values as texts. */
export type Truth = Readonly<Record<string, string>>

const ROOMS = ['alice', 'bob', 'carol', 'dave']
const NOW = Date.parse('2026-03-01T12:00:00Z')
const VALUES = new Map([
  ['first', Buffer.from('a value beside the logs')],
  ['second', Buffer.from('another one')],
])

/** Makes a small store that has a table, a log, a snapshot, rows on top of it, and values. */
export async function makeStore(folder: string): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const store = await openLevelLog({ folder })
    for (const [index, room] of ROOMS.entries()) {
      // The last one exists in the table only, so that not every room has rows in the log.
      if (round > 0 && index === ROOMS.length - 1) continue
      for (let n = 0; n < 3; n++) await store.append(room, updateOf(round * 3 + n, room))
    }
    if (round === 0) {
      const { version, rows } = await store.load('alice')
      const doc = new Y.Doc()
      for (const { update } of rows) Y.applyUpdate(doc, update)
      await store.compact('alice', { through: version, snapshot: Y.encodeStateAsUpdate(doc) })
      await store.values.write('access', VALUES)
    }
    await store.close()
  }
}

function updateOf(n: number, room: string): Uint8Array {
  const doc = new Y.Doc()
  const store = createStore({ userId: room, doc })
  const channel = { channelId: `peer ${n % 2}`, channelType: 1 }
  store.receive({
    channel,
    messageSeq: n + 1,
    fromUid: 'peer',
    timestamp: NOW + n,
    payload: { text: `${n}` },
  })
  store.close()
  return Y.encodeStateAsUpdate(doc)
}

/** The files of a store in which bits can be flipped; LevelDB's own messages are for people. */
export async function filesOf(folder: string): Promise<StoreFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => !/(LOCK|LOG|LOG\.old)$/.test(name),
  )
  const files: StoreFile[] = []
  for (const name of names.sort()) {
    const found = await stat(join(folder, name))
    if (found.isFile() && found.size > 0) files.push({ name, bytes: found.size })
  }
  return files
}

/** Reads all that is in a store, room by room; a room that is refused has the code of the error. */
export async function readAll(store: LogStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const room of ROOMS) {
    found[room] = await readRoom(store, room).catch((error: unknown) => {
      if (error instanceof ServerError) return `refused: ${error.code}`
      throw error
    })
  }
  const listed: string[] = []
  for await (const room of store.rooms()) listed.push(room)
  found['names of rooms'] = listed.sort().join()
  const values = await store.values.list('access', { prefix: '' })
  found['values beside the rooms'] = [...values]
    .map(([name, value]) => `${name}=${Buffer.from(value)}`)
    .join()
  return found
}

async function readRoom(store: LogStore, room: string): Promise<string> {
  const { snapshot, rows, damaged } = await store.load(room)
  if (damaged.length > 0) return 'refused: rows are damaged'
  const doc = new Y.Doc()
  for (const { update } of snapshot ? [snapshot, ...rows] : rows) Y.applyUpdate(doc, update)
  const state = createStore({ userId: room, doc })
  const text = JSON.stringify(state.export())
  state.close()
  return text
}

/** Flips a bit of a copy of a store, and looks at what is served of it, before and after a repair. */
export async function tryFlip(
  base: string,
  work: string,
  truth: Truth,
  { file, at, bit }: Pick<FlipResult, 'file' | 'at' | 'bit'>,
): Promise<FlipResult> {
  await copyWithFlip(base, work, file, at, bit)
  const wrong = new Set<string>()
  let unnamed: string | null = null
  let named = false
  const judge = (served: Record<string, string>): string[] => {
    const different = Object.keys(truth).filter((name) => served[name] !== truth[name])
    for (const name of different) if (!served[name]?.startsWith('refused')) wrong.add(name)
    return different
  }
  try {
    const store = await openLevelLog({ folder: work })
    try {
      await refuseUnfinished(store)
      judge(await readAll(store))
    } finally {
      await store.close()
    }
  } catch (error) {
    named = error instanceof ServerError && error.message.includes('parley verify --repair')
    if (!named) unnamed = error instanceof Error ? error.message : String(error)
  }
  await copyWithFlip(base, work, file, at, bit)
  await repairFolder(work, NOW)
  const store = await openLevelLog({ folder: work })
  try {
    return { file, at, bit, wrong: [...wrong], lost: judge(await readAll(store)), unnamed, named }
  } finally {
    await store.close()
  }
}

async function copyWithFlip(
  base: string,
  work: string,
  file: string,
  at: number,
  bit: number,
): Promise<void> {
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await cp(base, work, { recursive: true })
  const path = join(work, file)
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  await writeFile(path, bytes)
}

/** The place of a flip by its number, counted through all bits of all files. */
export function placeOf(
  files: readonly StoreFile[],
  number: number,
): Pick<FlipResult, 'file' | 'at' | 'bit'> {
  let left = number
  for (const { name, bytes } of files) {
    if (left < bytes * 8) return { file: name, at: left >> 3, bit: left & 7 }
    left -= bytes * 8
  }
  throw new RangeError(`There are fewer than ${number + 1} bits`)
}

/** How many bits there are in files. */
export function bitsOf(files: readonly StoreFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes * 8, 0)
}
