import fc from 'fast-check'
import * as Y from 'yjs'

/** What one of the writers of a document does. */
export type RandomEdit =
  | { readonly kind: 'push' | 'type'; readonly writer: number; readonly at: number; readonly text: string }
  | { readonly kind: 'delete'; readonly writer: number; readonly at: number; readonly length: number }
  | { readonly kind: 'erase'; readonly writer: number; readonly at: number; readonly length: number }
  | { readonly kind: 'sync'; readonly writer: number; readonly with: number }

export const WRITERS = 3
const writer = fc.nat(WRITERS - 1)
const range = { writer, at: fc.nat(30), length: fc.nat(5) }

export const randomEdit: fc.Arbitrary<RandomEdit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('push' as const, 'type' as const),
    writer,
    at: fc.nat(30),
    text: fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }),
  }),
  fc.record({ kind: fc.constant('delete' as const), ...range }),
  fc.record({ kind: fc.constant('erase' as const), ...range }),
  fc.record({ kind: fc.constant('sync' as const), writer, with: writer }),
)

/** Does it, in the documents of all writers. */
export function doEdit(docs: readonly Y.Doc[], edit: RandomEdit): void {
  const doc = docs[edit.writer] as Y.Doc
  const [array, text] = [doc.getArray<string>('a'), doc.getText('t')]
  if (edit.kind === 'sync') Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[edit.with] as Y.Doc))
  else if ('length' in edit) remove(edit.kind === 'delete' ? array : text, edit.at, edit.length)
  else if (edit.kind === 'push') array.insert(edit.at % (array.length + 1), [edit.text, edit.text])
  else text.insert(edit.at % (text.length + 1), edit.text)
}

function remove(type: Y.Array<string> | Y.Text, place: number, length: number): void {
  if (type.length === 0) return
  const at = place % type.length
  type.delete(at, Math.min(length, type.length - at))
}

/** All that is in such a document: contents, insertions known, deletions known. */
export function stateOf(doc: Y.Doc): unknown {
  return {
    array: doc.getArray('a').toJSON(),
    text: doc.getText('t').toString(),
    vector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b),
    deletions: [...Y.snapshot(doc).ds.clients].sort(([a], [b]) => a - b),
    pending: doc.store.pendingStructs ?? doc.store.pendingDs,
  }
}

export function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}
