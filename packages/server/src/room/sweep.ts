import { detachSweep } from '@parley/core'
import type * as Y from 'yjs'
import type { LogStore } from '../log/logStore.js'
import type { TailRow } from './logTail.js'

/**
 * Deletes what the server's own entries in a room dominate, such as the messages before the newest one, which it wrote without
 * looking. What users' devices write they sweep themselves.
 */
export async function sweepRoom(
  store: LogStore,
  name: string,
  doc: Y.Doc,
  onAppended: (row: TailRow) => Promise<void>,
): Promise<void> {
  const row = await store.appendOwn(name, {
    compose: (writer) => detachSweep(doc, writer.client)?.encode(writer) ?? null,
  })
  if (row) await onAppended(row)
}
