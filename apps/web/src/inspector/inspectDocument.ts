import * as Y from 'yjs'

/** Figures about a document. */
export interface DocumentFigures {
  /** What it takes to send all of it, in bytes. */
  readonly bytes: number
  /** Facts about conversations, and drafts that were begun. */
  readonly entries: number
  readonly drafts: number
  /** Who wrote in it: one for each session of a device. */
  readonly clients: number
  /** How many changes they made, and the size of the vector that says so. */
  readonly changes: number
  readonly vectorBytes: number
  readonly clientId: number
}

/** Measures a document. It takes some milliseconds for a large one, so not at every letter. */
export function inspectDocument(doc: Y.Doc): DocumentFigures {
  const vector = Y.encodeStateVector(doc)
  let [entries, drafts] = [0, 0]
  for (const [name, { _length }] of doc.share) {
    if (name === 'drafts') drafts += _length
    else entries += _length
  }
  const clocks = [...Y.decodeStateVector(vector).values()]
  return {
    bytes: Y.encodeStateAsUpdate(doc).byteLength,
    entries,
    drafts,
    clients: clocks.length,
    changes: clocks.reduce((sum, clock) => sum + clock, 0),
    vectorBytes: vector.byteLength,
    clientId: doc.clientID,
  }
}
