import { compareEntries, decodeEntry } from '../lattice/entry.js'
import type { HybridClock } from '../lattice/hlc.js'
import { isTimed, isValidEntry } from '../lattice/registers.js'
import { NO_REGISTERS, type Registers, RegisterTable, type Winner } from './registerTable.js'

/** A register that got another winner, or lost its last one. */
export type RegisterChange = Pick<Winner, 'subject' | 'register'>

/** The greatest entry of each register, kept as entries come and go. */
export interface EntryIndex {
  readonly subjects: Iterable<string>
  /** The registers of a subject, none if nothing is said about it. */
  registers: (subject: string) => Registers
  get: (subject: string, register: string) => Winner | undefined
  /** True if this document instance wrote the entry. */
  isOwn: (winner: Winner) => boolean
  /** Takes in a line that was inserted; notes what changed in `changes`. */
  add: (line: string, isOwn: boolean, changes: RegisterChange[]) => void
  /** Takes out lines that somebody deleted; returns the subjects whose winner went, which must be read again. */
  remove: (lines: readonly string[], changes: RegisterChange[]) => ReadonlySet<string>
  /**
   * Entries that an own entry strictly dominates. Only those may be deleted: whoever deletes an entry must write after the
   * greater one, so that nobody can receive the deletion without it.
   */
  readonly dominated: Set<string>
  /** How many registers have an entry. */
  readonly size: number
  /** Calls `listener` with the greatest entry of a register before and after each change. There is one listener. */
  watch: (listener: (before: Winner | undefined, after: Winner | undefined) => void) => void
}

/** Creates an empty index; `clock` is moved past every time it sees. */
export function createEntryIndex(clock: HybridClock): EntryIndex {
  const subjects = new Map<string, RegisterTable>()
  const dominated = new Set<string>()
  let size = 0
  let onReplaced: (before: Winner | undefined, after: Winner | undefined) => void = () => {}

  // Kept beside the entries and not in them, for few have any: which winners this document instance wrote, and what a
  // winner of somebody else's dominates, to be swept when an own entry comes.
  const own = new WeakSet<Winner>()
  const losers = new WeakMap<Winner, Set<string>>()

  const lose = (winner: Winner, line: string): void => {
    if (own.has(winner)) dominated.add(line)
    else {
      const known = losers.get(winner)
      if (known) known.add(line)
      else losers.set(winner, new Set([line]))
    }
  }

  /** Leaves to a winner what the one before it dominated; never copied, for a register may have lost thousands. */
  const inherit = (winner: Winner, previous: Winner): void => {
    const known = losers.get(previous)
    if (!known) return
    if (own.has(winner)) for (const line of known) dominated.add(line)
    else losers.set(winner, known)
  }

  return {
    dominated,
    get subjects() {
      return subjects.keys()
    },
    get size() {
      return size
    },
    watch(listener) {
      onReplaced = listener
    },
    registers: (subject) => subjects.get(subject) ?? NO_REGISTERS,
    get: (subject, register) => subjects.get(subject)?.get(register),
    isOwn: (winner) => own.has(winner),
    add(line, isOwn, changes) {
      const entry = decodeEntry(line)
      if (!entry || !isValidEntry(entry.register, entry.stamp)) return
      const { subject, register, stamp } = entry
      if (isTimed(stamp)) clock.observe(stamp[0] as number, stamp[1] as number)
      let table = subjects.get(subject)
      if (!table) {
        table = new RegisterTable(subject)
        subjects.set(subject, table)
      }
      const current = table.get(register)
      const order = current ? compareEntries(entry, current) : 1
      // An equal entry is a second copy: it wins nothing and is dominated by nothing.
      if (order === 0) return
      if (current && order < 0) {
        lose(current, line)
        return
      }
      // One string for all entries of a subject.
      entry.subject = table.subject
      if (isOwn) own.add(entry)
      table.set(entry)
      onReplaced(current, entry)
      if (current) {
        inherit(entry, current)
        lose(entry, current.line)
      } else size++
      changes.push(entry)
    },
    remove(lines, changes) {
      const rescan = new Set<string>()
      for (const line of lines) {
        const entry = decodeEntry(line)
        if (!entry) continue
        const table = subjects.get(entry.subject)
        const winner = table?.get(entry.register)
        if (!table || !winner) continue
        if (winner.line !== line) {
          losers.get(winner)?.delete(line)
          continue
        }
        table.delete(entry.register)
        onReplaced(winner, undefined)
        if (table.size === 0) subjects.delete(entry.subject)
        size--
        changes.push(entry)
        rescan.add(entry.subject)
      }
      return rescan
    },
  }
}
