/**
 * As whom something is written into a document that is not at hand: a client id that nobody else uses, and the first of its
 * clocks that is free. Whoever keeps it must give every clock only once.
 */
export interface DetachedWriter {
  readonly client: number
  readonly clock: number
}

/** An update that was written without its document. */
export interface DetachedUpdate {
  readonly update: Uint8Array
  /** How many clocks of the writer it takes. */
  readonly clocks: number
}
