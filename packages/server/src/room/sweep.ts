import { detachSweep } from '@parley/core'
import type { LogStore, OwnAppend } from '../log/logStore.js'
import type { LazyDocument } from './lazyDocument.js'
import type { TailRow } from './logTail.js'

/** Who hears of what becomes of a sweep. */
export interface SweepListeners {
  /** Takes the row that was appended. */
  readonly onAppended: (row: TailRow) => Promise<void>
  /** A row may have been appended. */
  readonly onDoubt: () => void
}

/**
 * Deletes what the server's own entries in a room dominate, such as the messages before the newest one, which it wrote without
 * looking. What users' devices write they sweep themselves.
 */
export async function sweepRoom(
  store: LogStore,
  name: string,
  document: LazyDocument,
  { onAppended, onDoubt }: SweepListeners,
): Promise<void> {
  const compose: OwnAppend['compose'] = (writer) =>
    detachSweep(document.doc, writer.client)?.encode(writer) ?? null
  const row = await store.appendOwn(name, { compose }).catch((error) => {
    onDoubt()
    throw error
  })
  if (row) await onAppended(row)
}
