/** Counts the edits of one tab and remembers how far they got. Edit 0 is what was loaded. */
export interface EditLedger {
  /** Counts another edit and returns its number. */
  add: () => number
  /** Says that one edit is in a committed transaction. */
  onDisk: (edit: number) => void
  /** Says that the server has all edits up to this one. */
  onServer: (edit: number) => void
  /** The number of the last edit. */
  readonly last: number
  readonly disk: boolean
  readonly server: boolean
}

/** Creates an {@link EditLedger}. What was loaded counts as unknown to the server until something says otherwise. */
export function createEditLedger(): EditLedger {
  let last = 0
  let onServer = -1
  // Each by itself: a transaction that fails is repeated after those that follow it.
  const notOnDisk = new Set<number>()
  return {
    add() {
      last++
      notOnDisk.add(last)
      return last
    },
    onDisk(edit) {
      notOnDisk.delete(edit)
    },
    onServer(edit) {
      onServer = Math.max(onServer, edit)
    },
    get last() {
      return last
    },
    get disk() {
      return notOnDisk.size === 0
    },
    get server() {
      return onServer >= last
    },
  }
}
