import { type Channel, type ChannelKey, channelKey, MAX_ID_LENGTH, MAX_MESSAGE_SEQ } from '@parley/core'

/** How far a client has the messages of a channel. */
export interface LastMsgSeq {
  readonly channel: Channel
  readonly lastMsgSeq: number
}

const MAX_CHANNEL_TYPE = 255
const MAX_TYPE_DIGITS = 3
const MAX_SEQ_DIGITS = 20
/** What an entry may be longer by than its id. */
const MAX_ENTRY_LENGTH = MAX_ID_LENGTH + ':255:'.length + 20

/**
 * Writes `last_msg_seqs`: `id:type:seq` for each channel, joined by `|`.
 *
 * A server that splits at each `|` would take the tail of an id like `Alyx|lappy` for a person of its own, and leave out the
 * messages of `lappy`. Such an id is left out: to a server an unlisted conversation is one to answer, so nothing is lost.
 */
export function encodeLastMsgSeqs(entries: Iterable<LastMsgSeq>): string {
  const parts: string[] = []
  for (const { channel, lastMsgSeq } of entries) {
    const entry = `${channel.channelId}:${channel.channelType}:${lastMsgSeq}`
    if (entry.split('|').slice(1).some(isMistakable)) continue
    parts.push(entry)
  }
  return parts.join('|')
}

function isMistakable(part: string): boolean {
  return part.split(':').length === 3
}

/** What helps to read `last_msg_seqs`. */
export interface ParseLastMsgSeqsOptions {
  /** Tells the ids that exist, where an id with `|` and `:` could be read in two ways. */
  readonly isKnown?: (key: ChannelKey) => boolean
}

/**
 * Reads `last_msg_seqs` from a client: each entry from the right, so that ids may hold `:`, and as long as it takes to an
 * end, so that they may hold `|`. What cannot be read is passed over, as WuKongIM does; nothing at all is no entries.
 *
 * @example
 * ```ts
 * import { parseLastMsgSeqs } from '@parley/wukong'
 *
 * parseLastMsgSeqs('ubuntu:2:11672|Alyx|lappy:1:3') // Map { '2:ubuntu' => 11672, '1:Alyx|lappy' => 3 }
 * ```
 */
export function parseLastMsgSeqs(
  text: unknown,
  { isKnown }: ParseLastMsgSeqsOptions = {},
): Map<ChannelKey, number> {
  const seqs = new Map<ChannelKey, number>()
  if (typeof text !== 'string' || text === '') return seqs
  const parts = text.split('|')
  for (let start = 0; start < parts.length; ) {
    const { entry, end } = readEntry(parts, start, isKnown)
    // Twice listed, the smaller number is the safe one: a message too many, none too few.
    if (entry) seqs.set(entry.key, Math.min(entry.seq, seqs.get(entry.key) ?? entry.seq))
    start = end
  }
  return seqs
}

interface Entry {
  readonly key: ChannelKey
  readonly seq: number
}

/** Reads one entry, which may go over several parts. */
function readEntry(
  parts: readonly string[],
  start: number,
  isKnown: ParseLastMsgSeqsOptions['isKnown'],
): { entry: Entry | null; end: number } {
  let text = ''
  let shortest: { entry: Entry; end: number } | null = null
  for (let end = start; end < parts.length; end++) {
    text = end === start ? (parts[end] as string) : `${text}|${parts[end]}`
    if (text.length > MAX_ENTRY_LENGTH) break
    const entry = parseEntry(text)
    if (!entry) continue
    if (!isKnown || isKnown(entry.key)) return { entry, end: end + 1 }
    shortest ??= { entry, end: end + 1 }
  }
  return shortest ?? { entry: null, end: start + 1 }
}

/** Reads `id:type:seq`. By hand, for a client that syncs lists ten thousand of them. */
function parseEntry(text: string): Entry | null {
  const beforeSeq = text.lastIndexOf(':')
  const beforeType = text.lastIndexOf(':', beforeSeq - 1)
  if (beforeType < 1) return null
  const seq = readDigits(text, beforeSeq + 1, text.length, MAX_SEQ_DIGITS)
  const channelType = readDigits(text, beforeType + 1, beforeSeq, MAX_TYPE_DIGITS)
  if (seq < 0 || channelType < 0 || channelType > MAX_CHANNEL_TYPE || beforeType > MAX_ID_LENGTH) return null
  try {
    const key = channelKey({ channelId: text.slice(0, beforeType), channelType })
    return { key, seq: Math.min(seq, MAX_MESSAGE_SEQ) }
  } catch {
    return null
  }
}

/** The number that a part of a text is, -1 if it is none or has too many digits. */
function readDigits(text: string, start: number, end: number, most: number): number {
  if (start === end || end - start > most) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

const ZERO = '0'.charCodeAt(0)
