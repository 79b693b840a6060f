import * as Y from 'yjs'

/** Figures about a document. */
export interface DocumentFigures {
  /** What it takes to send all of it, in bytes. */
  readonly bytes: number
  /** Elements by the root type that holds them. */
  readonly roots: ReadonlyArray<{ readonly name: string; readonly elements: number }>
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
  const clocks = [...Y.decodeStateVector(vector).values()]
  return {
    bytes: Y.encodeStateAsUpdate(doc).byteLength,
    roots: [...doc.share].map(([name, type]) => ({ name, elements: type._length })),
    clients: clocks.length,
    changes: clocks.reduce((sum, clock) => sum + clock, 0),
    vectorBytes: vector.byteLength,
    clientId: doc.clientID,
  }
}
