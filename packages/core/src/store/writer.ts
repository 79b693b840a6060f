import type { EntryIndex } from '../document/entryIndex.js'
import { canonicalJson } from '../json/canonicalJson.js'
import { compareEntries, type Entry, encodeEntry } from '../lattice/entry.js'
import type { Stamp } from '../lattice/stamp.js'

/** Collects the entries of one transaction, so that they are appended at once and each register only once. */
export interface Writer {
  /** Writes an entry, unless the register has a greater or equal one. Returns whether it will be written. */
  put: (subject: string, register: string, stamp: Stamp, value?: unknown) => boolean
  /** As {@link Writer.put}, for a value that is canonical JSON already. */
  putText: (subject: string, register: string, stamp: Stamp, value: string) => boolean
  /** The entries collected about a subject; `undefined` if there are none. */
  pending: (subject: string) => Iterable<Entry> | undefined
  /** Remembers what is collected now; the returned function drops what was collected since. */
  takeCheckpoint: () => () => void
  /** The entries collected, as they are stored. */
  lines: () => string[]
}

/** Creates a {@link Writer} over what the document holds. */
export function createWriter(index: Pick<EntryIndex, 'get'>): Writer {
  const pending = new Map<string, Map<string, Entry>>()
  const putText: Writer['putText'] = (subject, register, stamp, value) => {
    const entry: Entry = { subject, register, stamp, value }
    const registers = pending.get(subject) ?? new Map<string, Entry>()
    const current = registers.get(register) ?? index.get(subject, register)
    if (current && compareEntries(entry, current) <= 0) return false
    registers.set(register, entry)
    pending.set(subject, registers)
    return true
  }
  return {
    put: (subject, register, stamp, value) =>
      putText(subject, register, stamp, value === undefined ? '' : canonicalJson(value, register)),
    putText,
    pending: (subject) => pending.get(subject)?.values(),
    takeCheckpoint() {
      const before = [...pending].map(([subject, registers]) => [subject, new Map(registers)] as const)
      return () => {
        pending.clear()
        for (const [subject, registers] of before) pending.set(subject, registers)
      }
    },
    lines() {
      const lines: string[] = []
      for (const registers of pending.values()) {
        for (const entry of registers.values()) lines.push(encodeEntry(entry))
      }
      return lines
    },
  }
}
