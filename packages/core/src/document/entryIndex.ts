import { compareEntries, decodeEntry, type Entry } from '../lattice/entry.js'
import type { HybridClock } from '../lattice/hlc.js'
import { isTimed, isValidEntry } from '../lattice/registers.js'

/** The greatest entry of a register. */
export interface Winner extends Entry {
  /** The entry as it is stored. */
  readonly line: string
  /** True if this document instance wrote it. */
  readonly own: boolean
  /** Entries it dominates that somebody else's entry dominated first; swept when an own entry does. */
  losers: readonly string[]
}

/** The registers of one subject, by name. */
export type Registers = ReadonlyMap<string, Winner>

/** Which registers got another winner, by subject. */
export type RegisterChanges = ReadonlyMap<string, ReadonlySet<string>>

/** The greatest entry of each register, kept as entries come and go. */
export interface EntryIndex {
  readonly subjects: ReadonlyMap<string, Registers>
  get: (subject: string, register: string) => Winner | undefined
  /** Takes in lines that were inserted; notes what changed in `changes`. */
  add: (line: string, own: boolean, changes: Map<string, Set<string>>) => void
  /** Takes out lines that somebody deleted; returns the subjects whose winner went, which must be read again. */
  remove: (lines: readonly string[], changes: Map<string, Set<string>>) => ReadonlySet<string>
  /**
   * Entries that an own entry strictly dominates. Only those may be deleted: whoever deletes an entry must write after the
   * greater one, so that nobody can receive the deletion without it.
   */
  readonly dominated: Set<string>
  /** How many registers have an entry. */
  readonly size: number
}

const NO_LOSERS: readonly string[] = []

/** Creates an empty index; `clock` is moved past every time it sees. */
export function createEntryIndex(clock: HybridClock): EntryIndex {
  const subjects = new Map<string, Map<string, Winner>>()
  const dominated = new Set<string>()
  let size = 0

  const note = (changes: Map<string, Set<string>>, { subject, register }: Entry): void => {
    const registers = changes.get(subject)
    if (registers) registers.add(register)
    else changes.set(subject, new Set([register]))
  }

  const lose = (winner: Winner, lines: readonly string[]): void => {
    if (winner.own) for (const line of lines) dominated.add(line)
    else winner.losers = winner.losers.concat(lines)
  }

  return {
    subjects,
    dominated,
    get size() {
      return size
    },
    get: (subject, register) => subjects.get(subject)?.get(register),
    add(line, own, changes) {
      const entry = decodeEntry(line)
      if (!entry || !isValidEntry(entry.register, entry.stamp)) return
      const { subject, register, stamp } = entry
      if (isTimed(stamp)) clock.observe(stamp[0] as number, stamp[1] as number)
      const registers = subjects.get(subject) ?? new Map<string, Winner>()
      if (registers.size === 0) subjects.set(subject, registers)
      const current = registers.get(register)
      const order = current ? compareEntries(entry, current) : 1
      // An equal entry is a second copy: it wins nothing and is dominated by nothing.
      if (order === 0) return
      if (current && order < 0) {
        lose(current, [line])
        return
      }
      const winner: Winner = { ...entry, line, own, losers: NO_LOSERS }
      registers.set(register, winner)
      if (current) lose(winner, current.losers.concat(current.line))
      else size++
      note(changes, entry)
    },
    remove(lines, changes) {
      const rescan = new Set<string>()
      for (const line of lines) {
        const entry = decodeEntry(line)
        const winner = entry && subjects.get(entry.subject)?.get(entry.register)
        if (!winner) continue
        if (winner.line !== line) {
          if (winner.losers.includes(line)) winner.losers = winner.losers.filter((loser) => loser !== line)
          continue
        }
        subjects.get(entry.subject)?.delete(entry.register)
        size--
        note(changes, entry)
        rescan.add(entry.subject)
      }
      return rescan
    },
  }
}
