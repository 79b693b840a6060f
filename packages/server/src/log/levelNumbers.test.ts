import { describe, expect, it } from 'vitest'
import type { Level, LevelDatabase } from './levelDatabase.js'
import { RoomKeys } from './levelKeys.js'
import { createRecentNumbers } from './levelNumbers.js'
import { encodeMeta, type RoomMeta } from './roomMeta.js'

const ALICE = new RoomKeys('alice')

const numbers = (version: number): RoomMeta => ({ epoch: 0, version, snapshotVersion: 0 })

/** A database that has Alice's numbers, and counts how often it was asked for some. */
function open(version: number) {
  const state = { stored: version, reads: 0, beforeAnswer: (): void => {} }
  const level = {
    async getMany(keys: string[]) {
      state.reads++
      const values = keys.map((key) =>
        key === ALICE.meta ? encodeMeta(key, numbers(state.stored)) : undefined,
      )
      await null
      state.beforeAnswer()
      return values
    },
    keys: () => ({ all: async () => [] }),
  } as unknown as Level
  const database = { read: (use: (level: Level) => unknown) => use(level) } as LevelDatabase
  return { state, recent: createRecentNumbers(database) }
}

const versionOf = async (recent: ReturnType<typeof open>['recent'], keys = ALICE): Promise<unknown> =>
  (await recent.read([keys])).get(keys.meta)

describe('the recent numbers of rooms', () => {
  it('[L20] are read once', async () => {
    const { state, recent } = open(5)
    expect(await versionOf(recent)).toEqual(numbers(5))
    expect(await versionOf(recent)).toEqual(numbers(5))
    expect(state.reads).toBe(1)
  })

  it('[L20] are never older than what was written while they were read', async () => {
    const writes: Array<(opened: ReturnType<typeof open>) => void> = [
      ({ recent }) => recent.keep(new Map([[ALICE.meta, numbers(6)]])),
      ({ recent }) => recent.forget([{ type: 'del', key: ALICE.meta }]),
      ({ recent }) => recent.clear(),
    ]
    for (const write of writes) {
      const opened = open(5)
      opened.state.beforeAnswer = () => {
        opened.state.stored = 6
        write(opened)
      }
      await versionOf(opened.recent)
      expect(await versionOf(opened.recent)).toEqual(numbers(6))
    }
  })

  it('[L20] include that there is no room, until there is one or that is not known', async () => {
    const nobody = new RoomKeys('nobody')
    const { state, recent } = open(5)
    const writes: Array<() => void> = [
      () => recent.keep(new Map([[ALICE.meta, numbers(6)]])),
      () => recent.forget([{ type: 'put', key: nobody.meta, value: new Uint8Array() }]),
      () => recent.clear(),
    ]
    for (const [index, write] of writes.entries()) {
      state.reads = 0
      expect(await versionOf(recent, nobody)).toEqual(numbers(0))
      expect(await versionOf(recent, nobody)).toEqual(numbers(0))
      expect(state.reads).toBe(index === 1 ? 0 : 1)
      write()
    }
    await versionOf(recent, nobody)
    recent.keep(new Map([[nobody.meta, numbers(1)]]))
    expect(await versionOf(recent, nobody)).toEqual(numbers(1))
  })

  it('[L20] do not take it for granted that there is no room where something was written meanwhile', async () => {
    const nobody = new RoomKeys('nobody')
    const { state, recent } = open(5)
    const { writes } = recent
    recent.keep(new Map([[ALICE.meta, numbers(6)]]))
    recent.noteAbsent(nobody, writes)
    expect(recent.find(nobody)).toBe(undefined)
    recent.noteAbsent(nobody, recent.writes)
    expect(recent.find(nobody)).toEqual(numbers(0))
    expect(state.reads).toBe(0)
  })

  it('[L20] lets rooms that do not exist take the place of no others', async () => {
    const { state, recent } = open(5)
    await versionOf(recent)
    for (let n = 0; n < 25_000; n++) recent.noteAbsent(new RoomKeys(`nobody ${n}`), recent.writes)
    await versionOf(recent)
    expect(state.reads).toBe(1)
    expect(recent.find(new RoomKeys('nobody 0'))).toBe(undefined)
    expect(recent.find(new RoomKeys('nobody 24999'))).toEqual(numbers(0))
  })
})
