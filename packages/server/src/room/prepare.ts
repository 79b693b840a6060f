import { checkIntegration, type DecodedUpdate, decodeUpdate, findGap, ParleyError } from '@parley/core'
import * as Y from 'yjs'
import { type Edit, readEdit } from './edit.js'
import type { LazyDocument } from './lazyDocument.js'
import { findNews } from './news.js'

/** What is to be done with the first `taken` of the updates that were looked at. */
export type Prepared =
  /** They change the document; `news` is what to store and apply, and `structs` are the insertions that came. */
  | {
      readonly outcome: 'news'
      readonly taken: number
      readonly news: Uint8Array
      readonly structs: DecodedUpdate['structs']
      /** Set if they come to an edit. */
      readonly edit: Edit | null
      /** How many steps the document takes to integrate them, see {@link checkIntegration}. */
      readonly steps: number
    }
  /** They change the document, which their peer may not. */
  | { readonly outcome: 'forbidden'; readonly taken: 1 }
  /** They change nothing. */
  | { readonly outcome: 'known'; readonly taken: number }
  /** The first builds on something the document does not have. */
  | { readonly outcome: 'gap'; readonly taken: 1; readonly reason: string }
  /** The first cannot be applied to any document. */
  | { readonly outcome: 'invalid'; readonly taken: 1; readonly reason: string }
  /** The first holds or costs more than any update may. */
  | { readonly outcome: 'too-large'; readonly taken: 1; readonly reason: string }

/**
 * Checks the updates of one connection that wait to be stored, without changing anything. Those in a row become one entry
 * of the log: who types fast would otherwise wait for the disk at every letter, for each builds on the one before.
 */
export function prepareUpdates(
  document: LazyDocument,
  updates: readonly [Uint8Array, ...Uint8Array[]],
  { readOnly } = { readOnly: false },
): Prepared {
  if (updates.length > 1) {
    try {
      const together = prepareOne(document, Y.mergeUpdates([...updates]), updates.length, readOnly)
      if (together.outcome === 'news' || together.outcome === 'known') return together
    } catch {
      // One of them is no update. Which one shows when they are taken one by one.
    }
  }
  return prepareOne(document, updates[0], 1, readOnly)
}

function prepareOne(document: LazyDocument, update: Uint8Array, taken: number, readOnly: boolean): Prepared {
  try {
    const decoded = decodeUpdate(update)
    const edit = readEdit(document, decoded)
    if (edit && readOnly) return { outcome: 'forbidden', taken: 1 }
    if (edit) return { outcome: 'news', taken, news: update, structs: decoded.structs, edit, steps: 0 }
    const { doc } = document
    const gap = findGap(doc, decoded)
    if (gap)
      return {
        outcome: 'gap',
        taken: 1,
        reason: `client ${gap.client} from clock ${gap.clock} on is missing`,
      }
    const news = findNews(doc, update, decoded)
    if (!news) return { outcome: 'known', taken }
    // Before what costs more.
    if (readOnly) return { outcome: 'forbidden', taken: 1 }
    const steps = checkIntegration(doc, decoded)
    return { outcome: 'news', taken, news, structs: decoded.structs, edit: null, steps }
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error
    const outcome = error.code === 'too-large' ? 'too-large' : 'invalid'
    return { outcome, taken: 1, reason: error.message }
  }
}
