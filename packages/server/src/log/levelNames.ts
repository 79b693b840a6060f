import type { LevelDatabase } from './levelDatabase.js'
import { decodeOwner, type KeyRange, ownerOfKey, ownerRange, rangeOf } from './levelKeys.js'
import type { ValueScope } from './logStore.js'

/** The kinds of keys that a room has. The first is of all rooms that can be read. */
const ROOM_KINDS = ['meta', 'row', 'snapshot'] as const

/** The rooms of which anything is stored, each once. */
export async function* roomNames(database: LevelDatabase): AsyncIterable<string> {
  for (const [index, kind] of ROOM_KINDS.entries()) {
    for await (const owner of ownersOf(database, kind)) {
      const earlier = ROOM_KINDS.slice(0, index).map((one) => ownerRange(one, owner))
      if (!(await holdAnything(database, earlier))) yield decodeOwner(owner)
    }
  }
}

/** The scopes that have values. */
export async function* levelScopes(database: LevelDatabase): AsyncIterable<ValueScope> {
  for await (const owner of ownersOf(database, 'value')) yield decodeOwner(owner) as ValueScope
}

/** Those that have keys of a kind: from one to the next, without a look at all the keys of each. */
async function* ownersOf(database: LevelDatabase, kind: string): AsyncIterable<string> {
  const { gte, lt } = rangeOf(kind)
  for (let from = gte; ; ) {
    const range = { gte: from, lt, limit: 1 }
    const [key] = await database.read((level) => level.keys(range).all())
    if (key === undefined) return
    const owner = ownerOfKey(key)
    if (owner !== null) yield owner
    // Nobody's is the end of a range that is being erased.
    from = owner === null ? `${key}\0` : ownerRange(kind, owner).lt
  }
}

async function holdAnything(database: LevelDatabase, ranges: readonly KeyRange[]): Promise<boolean> {
  for (const range of ranges) {
    const found = await database.read((level) => level.keys({ ...range, limit: 1 }).all())
    if (found.length > 0) return true
  }
  return false
}
