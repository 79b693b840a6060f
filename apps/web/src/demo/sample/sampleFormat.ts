import type { ProvidedConversation } from '@parley/core'

/** One line of a channel as the web build carries it: sequence number, speaker, seconds since 1970, text. */
export type SampleLine = readonly [messageSeq: number, fromUid: string, seconds: number, content: string]

/** A part of a channel's history, in a file of its own. */
export interface SampleChunk {
  readonly file: string
  readonly fromSeq: number
  readonly toSeq: number
}

/** What is loaded to fill a list: conversations, and where the rest of them is. */
export interface SampleIndex {
  readonly userId: string
  readonly conversations: readonly ProvidedConversation[]
  /** The parts of each channel's history by channel key, oldest first. */
  readonly history: Readonly<Record<string, readonly SampleChunk[]>>
  /** How many people are in each group, by channel key. */
  readonly members: Readonly<Record<string, number>>
}

/** Where the build puts the index; chunks lie beside it. */
export const SAMPLE_FOLDER = 'sample'
export const SAMPLE_INDEX_FILE = 'index.json'
