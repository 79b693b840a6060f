import * as Y from 'yjs'
import { type ChannelKey, isChannelKey } from '../conversation/channel.js'
import type { HlcStamp } from '../lattice/hlc.js'
import { isTimed } from '../lattice/registers.js'
import type { Stamp } from '../lattice/stamp.js'

/**
 * One draft from the first character until it is sent or cleared, as an element of the document. It is created whole by
 * one device in one transaction; typing on elsewhere edits its text, starting separately makes another.
 */
export interface Episode {
  /** Names the draft; its registers have it in their subject. */
  readonly id: string
  /** Names the element. The same as `id`, but for second copies of a draft that several devices imported. */
  readonly ref: string
  readonly channel: ChannelKey
  readonly startedAt: HlcStamp
  /** The name of the device that began it. */
  readonly device: string
  readonly text: Y.Text
}

/** The subject of the entries about a draft. */
export function draftSubject(id: string): string {
  return `d:${id}`
}

/** The draft that a subject names, or `null`. */
export function draftIdOf(subject: string): string | null {
  return subject.startsWith('d:') ? subject.slice(2) : null
}

/** Appends the element of a new draft; call it inside of a transaction. */
export function createEpisode(
  root: Y.Array<Y.Map<unknown>>,
  { id, channel, startedAt, device }: Pick<Episode, 'id' | 'channel' | 'startedAt' | 'device'>,
  initialText: string,
): Y.Text {
  const text = new Y.Text(initialText)
  const element = new Y.Map<unknown>([
    ['id', id],
    ['channel', channel],
    ['at', startedAt],
    ['by', device],
    ['text', text],
  ])
  root.push([element])
  return text
}

/** Reads an element; `null` for what this version does not know as a draft. */
export function readEpisode(element: unknown): Episode | null {
  if (!(element instanceof Y.Map)) return null
  const id = element.get('id')
  const channel = element.get('channel')
  const at = element.get('at')
  const by = element.get('by')
  const text = element.get('text')
  if (typeof id !== 'string' || typeof channel !== 'string' || !isChannelKey(channel)) return null
  if (!Array.isArray(at) || at.length !== 3 || !isTimed(at as Stamp) || !(text instanceof Y.Text)) return null
  const startedAt = at as unknown as HlcStamp
  return { id, ref: id, channel, startedAt, device: typeof by === 'string' ? by : '', text }
}
