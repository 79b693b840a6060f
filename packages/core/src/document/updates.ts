import type * as Y from 'yjs'
import { defaultEnvironment } from '../environment.js'

/** One Yjs update as the document emitted it. */
export interface DocumentUpdate {
  /** The update in Yjs' first encoding, the one y-websocket and y-indexeddb speak. */
  readonly update: Uint8Array
  /** What was passed to `transact` or `applyUpdate` as the origin. */
  readonly origin: unknown
  /** True for edits made in this document, false for updates applied to it. */
  readonly local: boolean
}

/**
 * Listens to the updates of a document, safely.
 *
 * A listener that throws inside Yjs' own `update` event mutes the document for good (yjs#799): later listeners see
 * nothing and transactions pile up. So this is the only place that registers one; errors go to `reportError` instead.
 *
 * @returns a function that stops listening; it may be called twice
 */
export function onUpdate(
  doc: Y.Doc,
  listener: (event: DocumentUpdate) => void,
  reportError: (error: unknown) => void = defaultEnvironment.reportError,
): () => void {
  const guarded = (update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    try {
      listener({ update, origin, local: transaction.local })
    } catch (error) {
      reportError(error)
    }
  }
  doc.on('update', guarded)
  return () => doc.off('update', guarded)
}

/**
 * Calls `listener` after each transaction, before its update is emitted: the place to bring a view up to date. Errors go to
 * `reportError`.
 *
 * @returns a function that stops listening; it may be called twice
 */
export function onTransaction(
  doc: Y.Doc,
  listener: (transaction: Y.Transaction) => void,
  reportError: (error: unknown) => void,
): () => void {
  const guarded = (transaction: Y.Transaction): void => {
    try {
      listener(transaction)
    } catch (error) {
      reportError(error)
    }
  }
  doc.on('afterTransaction', guarded)
  return () => doc.off('afterTransaction', guarded)
}

/**
 * Lets the garbage collector have each transaction of a document when it is over.
 *
 * Yjs drops its list of transactions without emptying it. In a document that has been there for a while the list is old to the
 * collector by the time of the next transaction, which would then live on in it until all of the heap is looked through: where
 * thousands of documents are written to, several times more has to be collected at once. Nobody else may want to look at the list.
 *
 * @example
 * ```ts
 * import * as Y from 'yjs'
 * import { forgetTransactions } from '@parley/core'
 *
 * const doc = new Y.Doc()
 * forgetTransactions(doc)
 * ```
 */
export function forgetTransactions(doc: Y.Doc): void {
  doc.on('afterAllTransactions', (_doc: Y.Doc, transactions: Y.Transaction[]) => {
    transactions.length = 0
  })
}
