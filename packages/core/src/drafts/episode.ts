import * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import type { HlcStamp } from '../lattice/hlc.js'
import { isTimed } from '../lattice/registers.js'
import type { Stamp } from '../lattice/stamp.js'
import type { DraftBody } from './content.js'
import { type DraftPlace, parsePlace } from './place.js'

/**
 * One draft from the first character until it is sent or cleared, as an element of the document. It is created whole by
 * one device in one transaction; typing on elsewhere edits its text, starting separately makes another.
 */
export interface Episode {
  /** Names the draft; its registers have it in their subject. */
  readonly id: string
  /** Names the element. The same as `id`, but for second copies of a draft that several devices imported. */
  readonly ref: string
  readonly place: DraftPlace
  readonly channel: ChannelKey
  /** The message it edits; `null` for a draft of the composer. */
  readonly messageSeq: number | null
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

/** The id of a draft that begins now. It says when and where, so that the element need not. */
export function draftIdAt([ms, counter, instance]: HlcStamp): string {
  return `${instance}${ms.toString(36)}_${counter.toString(36)}`
}

const OWN_ID = /^([a-z0-9]{8})([a-z0-9]+)_([a-z0-9]+)$/

function timeOfId(id: string): HlcStamp | null {
  const [, instance, ms, counter] = OWN_ID.exec(id) ?? []
  if (instance === undefined || ms === undefined || counter === undefined) return null
  const stamp: HlcStamp = [Number.parseInt(ms, 36), Number.parseInt(counter, 36), instance]
  return isTimed(stamp) && draftIdAt(stamp) === id ? stamp : null
}

/** What an element says of its draft: `[id, place, device]`, and when it began where its id does not say so. */
const HEAD = 'draft'
const TEXT = 'text'

/** The place that the head of an element names; `null` if it is none. */
export function placeOfHead(head: unknown): DraftPlace | null {
  const place: unknown = Array.isArray(head) ? head[1] : undefined
  return typeof place === 'string' && parsePlace(place) ? place : null
}

/** Appends the element of a new draft; call it inside of a transaction. */
export function createEpisode(
  root: Y.Array<Y.Map<unknown>>,
  { id, place, startedAt, device }: Pick<Episode, 'id' | 'place' | 'startedAt' | 'device'>,
  { text: characters, delta }: DraftBody,
): Y.Text {
  const text = new Y.Text(delta ? undefined : characters)
  const head = timeOfId(id) ? [id, place, device] : [id, place, device, ...startedAt]
  root.push([
    new Y.Map<unknown>([
      [HEAD, head],
      [TEXT, text],
    ]),
  ])
  if (delta) text.applyDelta([...delta], { sanitize: false })
  return text
}

/** Reads an element; `null` for what this version does not know as a draft. */
export function readEpisode(element: unknown): Episode | null {
  if (!(element instanceof Y.Map)) return null
  const text = element.get(TEXT)
  const head = element.get(HEAD)
  const place = placeOfHead(head)
  const where = place === null ? null : parsePlace(place)
  if (place === null || !where || !(text instanceof Y.Text)) return null
  const [id, , device, ...at] = head as unknown[]
  if (typeof id !== 'string') return null
  const startedAt = at.length === 0 ? timeOfId(id) : at
  if (startedAt?.length !== 3 || !isTimed(startedAt as Stamp)) return null
  return {
    id,
    ref: id,
    place,
    ...where,
    startedAt: startedAt as unknown as HlcStamp,
    device: typeof device === 'string' ? device : '',
    text,
  }
}
