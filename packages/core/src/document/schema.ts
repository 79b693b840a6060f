import * as Y from 'yjs'
import { ParleyError } from '../errors.js'

/**
 * The entries are spread over this many root arrays. A writer appends to one until its run is long enough and goes on to the
 * next: Yjs copies a whole run for each entry appended to it, and walks an array from its start to find the end after a
 * remote change, so both must stay short. Which array an entry is in means nothing.
 */
const ENTRY_ROOT_COUNT = 16

/** The root arrays that hold entries: `e0` to `ef`. */
export function entryRoots(doc: Y.Doc): Array<Y.Array<string>> {
  return Array.from({ length: ENTRY_ROOT_COUNT }, (_, i) => doc.getArray<string>(entryRootName(i)))
}

/** The name of the array that holds a writer's run of entries, the first run being 0. */
export function entryRootName(run: number): string {
  return `e${(run % ENTRY_ROOT_COUNT).toString(16)}`
}

/** The root array of draft episodes, a map each; see `drafts/episode.ts`. */
export function draftRoot(doc: Y.Doc): Y.Array<Y.Map<unknown>> {
  return doc.getArray<Y.Map<unknown>>('drafts')
}

/**
 * Refuses a document of another copy of Yjs: two copies in one bundle fail each other's `instanceof`, and edits are lost
 * without an error.
 *
 * @throws ParleyError with code `duplicate-yjs`
 */
export function assertSameYjs(doc: Y.Doc): void {
  if (doc instanceof Y.Doc) return
  throw new ParleyError(
    'duplicate-yjs',
    'The document was made by another copy of Yjs than the one Parley imports. Install yjs once (it is a peer dependency) and let the bundler dedupe it.',
    { field: 'doc' },
  )
}
