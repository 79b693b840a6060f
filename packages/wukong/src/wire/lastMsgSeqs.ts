import { type Channel, MAX_ID_LENGTH, MAX_MESSAGE_SEQ } from '@parley/core'

/** How far a client has the messages of a channel. */
export interface LastMsgSeq {
  readonly channel: Channel
  readonly lastMsgSeq: number
}

const MAX_CHANNEL_TYPE = 255
const MAX_TYPE_DIGITS = 3
const MAX_SEQ_DIGITS = 20
/** What an entry may be longer by than its id. */
const MAX_ENTRY_LENGTH = MAX_ID_LENGTH + ':255:'.length + MAX_SEQ_DIGITS
/** At so many places an entry may end whose id holds `|`: more are of no channel that there is. */
const MAX_ENDS = 8

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

/**
 * Takes what a client says it has of a channel.
 *
 * @returns false if there is no such channel
 */
export type TakeLastMsgSeq = (channelId: string, channelType: number, lastMsgSeq: number) => boolean

/**
 * Reads `last_msg_seqs` from a client: each entry from the right, so that ids may hold `:`, and as long as it takes to an
 * end, so that they may hold `|`. Where an id could end at several places, of which the first eight are tried, the first that is
 * taken counts. What cannot be read is passed over, as WuKongIM does; nothing at all is no entries. Takes time in proportion to
 * the length of the text.
 *
 * @example
 * ```ts
 * import { parseLastMsgSeqs } from '@parley/wukong'
 *
 * const seqs = new Map<string, number>()
 * parseLastMsgSeqs('ubuntu:2:11672|Alyx|lappy:1:3', (channelId, channelType, seq) => {
 *   seqs.set(`${channelType}:${channelId}`, seq)
 *   return true
 * })
 * seqs // Map { '2:ubuntu' => 11672, '1:Alyx|lappy' => 3 }
 * ```
 */
export function parseLastMsgSeqs(text: unknown, take: TakeLastMsgSeq): void {
  if (typeof text !== 'string') return
  const ends = findEnds(text)
  /** The first end that can be one of an entry that begins at `start` or later. */
  let next = 0
  for (let start = 0; start < text.length; ) {
    while (next < ends.length && (ends[next] as Tail).end <= start) next++
    start = readEntry(text, start, ends, next, take) + 1
  }
}

/** A place where an entry can end, which is where `:type:seq` ends. */
interface Tail {
  readonly end: number
  /** Where `:type:seq` begins, so where the id ends. */
  readonly idEnd: number
  readonly channelType: number
  readonly lastMsgSeq: number
}

/** All places where an entry can end, found once and not again for every place where one can begin. */
function findEnds(text: string): Tail[] {
  const ends: Tail[] = []
  for (let end = endOfPart(text, 0); ; end = endOfPart(text, end + 1)) {
    const tail = readTail(text, end)
    if (tail) ends.push(tail)
    if (end === text.length) return ends
  }
}

/** Reads the entry that begins at `start`, which may hold `|`, and returns its end. */
function readEntry(
  text: string,
  start: number,
  ends: readonly Tail[],
  next: number,
  take: TakeLastMsgSeq,
): number {
  let shortest = -1
  for (let index = next; index < Math.min(next + MAX_ENDS, ends.length); index++) {
    const { end, idEnd, channelType, lastMsgSeq } = ends[index] as Tail
    if (end - start > MAX_ENTRY_LENGTH) break
    if (idEnd <= start || idEnd - start > MAX_ID_LENGTH) continue
    if (take(text.slice(start, idEnd), channelType, lastMsgSeq)) return end
    if (shortest < 0) shortest = end
  }
  return shortest < 0 ? endOfPart(text, start) : shortest
}

function endOfPart(text: string, start: number): number {
  const end = text.indexOf('|', start)
  return end < 0 ? text.length : end
}

/** Reads `:type:seq` before a place. By hand, for a client that syncs lists ten thousand of them. */
function readTail(text: string, end: number): Tail | null {
  const beforeSeq = beforeDigits(text, end, MAX_SEQ_DIGITS)
  if (beforeSeq < 0 || text.charCodeAt(beforeSeq) !== COLON) return null
  const idEnd = beforeDigits(text, beforeSeq, MAX_TYPE_DIGITS)
  if (idEnd < 0 || text.charCodeAt(idEnd) !== COLON) return null
  const channelType = readDigits(text, idEnd + 1, beforeSeq)
  if (channelType > MAX_CHANNEL_TYPE) return null
  const lastMsgSeq = Math.min(readDigits(text, beforeSeq + 1, end), MAX_MESSAGE_SEQ)
  return { end, idEnd, channelType, lastMsgSeq }
}

/** Where the digits that end before a place begin, less one; -1 if there are none or too many. */
function beforeDigits(text: string, end: number, most: number): number {
  let at = end - 1
  while (at >= 0 && isDigit(text.charCodeAt(at))) {
    if (end - at > most) return -1
    at--
  }
  return at === end - 1 ? -1 : at
}

function readDigits(text: string, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 10 + text.charCodeAt(at) - ZERO
  return value
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9
}

const ZERO = '0'.charCodeAt(0)
const COLON = ':'.charCodeAt(0)
