import type * as Y from 'yjs'
import { draftRoot, entryRoots } from './schema.js'

/** What Yjs keeps of a root type, see its AbstractType. */
interface RootInternals {
  _start: unknown
  _length: number
  _map: Map<string, unknown>
  _searchMarker: unknown[] | null
}

/**
 * Makes a document as it was before its first change, in place: nothing of it remains, not even which changes it has received.
 *
 * Yjs has no way to take back a change that has been received, and where two replicas have different changes of one client under one
 * clock, one of them must. The content is deleted first, in a transaction with the given origin, so that whatever follows the
 * document sees it go; the update that this emits is not one to be passed on.
 */
export function emptyDocument(doc: Y.Doc, origin: unknown): void {
  const roots = [...entryRoots(doc), draftRoot(doc)] as Array<Y.Array<unknown>>
  doc.transact(() => {
    for (const root of roots) if (root.length > 0) root.delete(0, root.length)
  }, origin)
  doc.store.clients.clear()
  doc.store.pendingStructs = null
  doc.store.pendingDs = null
  for (const type of doc.share.values()) {
    const internals = type as unknown as RootInternals
    internals._start = null
    internals._length = 0
    internals._map.clear()
    if (internals._searchMarker) internals._searchMarker = []
  }
}
