import * as decoding from 'lib0/decoding'

/** What LevelDB's list of files comes to. */
export interface LevelVersion {
  /** The number of the log that holds what is in no table yet; 0 if none was named. */
  readonly logNumber: number
  /** The tables by their numbers. */
  readonly tables: ReadonlyMap<number, ListedTable>
}

/** What the list of files says of a table. */
export interface ListedTable {
  readonly bytes: number
  /** Its first and its last key, with their tags. */
  readonly first: Uint8Array
  readonly last: Uint8Array
}

// https://github.com/google/leveldb/blob/main/db/version_edit.cc
const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE_NUMBER = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG_NUMBER = 9

/** Reads the records of a list of files; `null` if one of them says what LevelDB does not. */
export function readVersionEdits(records: readonly Uint8Array[]): LevelVersion | null {
  const tables = new Map<number, ListedTable>()
  let logNumber = 0
  try {
    for (const record of records) {
      const decoder = decoding.createDecoder(record)
      const number = (): number => decoding.readVarUint(decoder)
      const text = (): Uint8Array => decoding.readVarUint8Array(decoder)
      while (decoding.hasContent(decoder)) {
        const tag = number()
        if (tag === COMPARATOR) text()
        else if (tag === LOG_NUMBER) logNumber = number()
        else if (tag === NEXT_FILE_NUMBER || tag === LAST_SEQUENCE || tag === PREVIOUS_LOG_NUMBER) number()
        else if (tag === COMPACT_POINTER) {
          number()
          text()
        } else if (tag === DELETED_FILE) {
          number()
          tables.delete(number())
        } else if (tag === NEW_FILE) {
          number()
          const file = number()
          tables.set(file, { bytes: number(), first: text(), last: text() })
        } else return null
      }
    }
  } catch {
    return null
  }
  return { logNumber, tables }
}
