import * as Y from 'yjs'
import { decodeUpdate } from '../document/decode.js'
import type { DraftContent } from '../drafts/content.js'
import { decodeEntry, type Entry } from '../lattice/entry.js'

/** Where in a document something was written, and by whom: enough to know whether it outlived a crash. */
export interface Written {
  readonly device: string
  readonly client: number
  /** The last clock of the transaction. */
  readonly clock: number
  /** True once it is known to have been lost before anybody else had it. */
  lost: boolean
}

/** An entry that a device wrote. */
export interface WrittenEntry extends Written {
  readonly entry: Entry
}

/** Something a user did whose effect is checked in the end. */
export interface Act<Detail> extends Written {
  readonly detail: Detail
}

/**
 * A character that was typed, or that names an embed, a reply, a mention or an attachment. Every one is used only once, so that
 * it can be found again.
 */
export interface TypedCharacter extends Written {
  deleted: boolean
  /** The draft whose only reply it is: of several replies the last one counts. */
  readonly replyOf?: string
}

/** What an act of sending did, and how it ended. */
export interface SendDetail {
  readonly submissionId: string
  readonly draftId: string
  /** The characters in all of what was sent. */
  readonly text: string
  outcome: 'pending' | 'failed' | 'acknowledged'
  /** The act that reported the outcome. */
  reported: Written | null
}

/** All that was done in a history, kept outside of the replicas. */
export interface Truth {
  readonly entries: WrittenEntry[]
  readonly typed: Map<string, TypedCharacter>
  readonly sends: Array<Act<SendDetail>>
  /** What a user cleared or dismissed, as its characters. */
  readonly clears: Array<Act<{ readonly draftId: string; readonly text: string }>>
  readonly silent: Array<Act<{ readonly channel: string; readonly seq: number }>>
}

/** The characters in a draft's content: of its text, embeds, reply, mentions and attachments. */
export function charactersOf(content: Partial<DraftContent> | null | undefined): string {
  if (!content) return ''
  const { text, delta, reply, mentions, attachments } = content
  return JSON.stringify([text, delta, reply, mentions, attachments]).replace(/[^\u4e00-\u9fff]/g, '')
}

/** Creates an empty {@link Truth}. */
export function createTruth(): Truth {
  return { entries: [], typed: new Map(), sends: [], clears: [], silent: [] }
}

/** All records of a truth. */
export function* allWritten(truth: Truth): Generator<Written> {
  yield* truth.entries
  yield* truth.typed.values()
  yield* truth.sends
  for (const { detail } of truth.sends) if (detail.reported) yield detail.reported
  yield* truth.clears
  yield* truth.silent
}

/** The entries an update inserts, each with its place. */
export function entriesOf(update: Uint8Array): Array<{ entry: Entry; client: number; clock: number }> {
  return decodeUpdate(update).structs.flatMap((struct) => {
    if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentAny)) return []
    return struct.content.arr.flatMap((line, offset) => {
      const entry = typeof line === 'string' ? decodeEntry(line) : null
      return entry ? [{ entry, client: struct.id.client, clock: struct.id.clock + offset }] : []
    })
  })
}
