import { type Channel, type ChannelKey, channelKey, MAX_ID_LENGTH, MAX_MESSAGE_SEQ } from '@parley/core'

/** How far a client has the messages of a channel. */
export interface LastMsgSeq {
  readonly channel: Channel
  readonly lastMsgSeq: number
}

/** `:2:11672`, at the end of an entry. */
const ENTRY_END = /^(.+):(\d{1,3}):(\d{1,20})$/s
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

function parseEntry(text: string): Entry | null {
  const match = ENTRY_END.exec(text)
  if (!match) return null
  const [, channelId = '', type, digits] = match
  const channelType = Number(type)
  if (channelType > 255 || channelId.length > MAX_ID_LENGTH) return null
  try {
    return { key: channelKey({ channelId, channelType }), seq: Math.min(Number(digits), MAX_MESSAGE_SEQ) }
  } catch {
    return null
  }
}
