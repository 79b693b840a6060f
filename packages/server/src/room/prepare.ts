import { type DecodedUpdate, decodeUpdate, findGap, ParleyError } from '@parley/core'
import * as Y from 'yjs'
import { findNews } from './news.js'

/** What is to be done with the first `taken` of the updates that were looked at. */
export type Prepared =
  /** They change the document; `news` is what to store and apply, and `structs` are the insertions that came. */
  | {
      readonly outcome: 'news'
      readonly taken: number
      readonly news: Uint8Array
      readonly structs: DecodedUpdate['structs']
    }
  /** They change nothing. */
  | { readonly outcome: 'known'; readonly taken: number }
  /** The first builds on something the document does not have. */
  | { readonly outcome: 'gap'; readonly taken: 1; readonly reason: string }
  /** The first cannot be applied to any document. */
  | { readonly outcome: 'invalid'; readonly taken: 1; readonly reason: string }

/**
 * Checks the updates of one connection that wait to be stored, without changing anything. Those in a row become one entry
 * of the log: who types fast would otherwise wait for the disk at every letter, for each builds on the one before.
 */
export function prepareUpdates(doc: Y.Doc, updates: readonly [Uint8Array, ...Uint8Array[]]): Prepared {
  if (updates.length > 1) {
    try {
      const together = prepareOne(doc, Y.mergeUpdates([...updates]), updates.length)
      if (together.outcome === 'news' || together.outcome === 'known') return together
    } catch {
      // One of them is no update. Which one shows when they are taken one by one.
    }
  }
  return prepareOne(doc, updates[0], 1)
}

function prepareOne(doc: Y.Doc, update: Uint8Array, taken: number): Prepared {
  try {
    const decoded = decodeUpdate(update)
    const gap = findGap(doc, decoded)
    if (gap)
      return {
        outcome: 'gap',
        taken: 1,
        reason: `client ${gap.client} from clock ${gap.clock} on is missing`,
      }
    const news = findNews(doc, update, decoded)
    if (!news) return { outcome: 'known', taken }
    return { outcome: 'news', taken, news, structs: decoded.structs }
  } catch (error) {
    if (error instanceof ParleyError) return { outcome: 'invalid', taken: 1, reason: error.message }
    throw error
  }
}
