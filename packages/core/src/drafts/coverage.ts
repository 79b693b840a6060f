import * as Y from 'yjs'
import { asObject } from '../conversation/facts.js'
import type { Json } from '../json/json.js'

/**
 * Which characters and embeds of a draft's text an act was about: for each client that typed some, the clocks under which it
 * typed them. Sent or cleared are the characters themselves, not a string: what another device typed meanwhile has later
 * clocks, wherever it stands.
 *
 * One range per client is enough, as a rule, however the characters are scattered: a device that has a character of a client
 * has all earlier ones of it. An act about what is left leaves out what the sends under way cover.
 */
export type Coverage = ReadonlyMap<number, readonly ClockRange[]>

/** Clocks from `from` up to, and without, `to`. */
export interface ClockRange {
  readonly from: number
  readonly to: number
}

/** A stretch of a text that one client typed, with the same formats, of which all or nothing is covered. */
export interface TextPart extends ClockRange {
  readonly client: number
  /** Characters, or an embed. */
  readonly insert: Json
  readonly attributes: Readonly<Record<string, Json>> | null
  /** Where it begins in the text. */
  readonly index: number
  readonly isCovered: boolean
}

/** Covers no character: what a draft that is set aside was finished with. */
export const NO_CHARACTERS: Coverage = new Map()

/**
 * Covers all that is in a text now.
 *
 * @param isOnlyCopy false if the draft has, or may get, a second text whose characters must not be covered
 */
export function coverageOf(text: Y.Text, isOnlyCopy: boolean): Coverage {
  const spans = spansOf(textParts(text))
  return new Map([...spans].map(([client, { from, to }]) => [client, [{ from: isOnlyCopy ? 0 : from, to }]]))
}

/**
 * Covers what none of the acts was about, and nothing of what a send under way covers: that comes back if it fails.
 *
 * @param acts all acts that finish the draft
 * @param pending those of them that may still fail
 * @param onlyClient takes only what one client typed
 */
export function remainderOf(
  text: Y.Text,
  acts: readonly Coverage[],
  pending: readonly Coverage[],
  onlyClient?: number,
): Coverage {
  const left = [...textParts(text, acts)].filter(
    ({ client, isCovered }) => !isCovered && (onlyClient === undefined || client === onlyClient),
  )
  return new Map(
    [...spansOf(left)].map(([client, { from, to }]) => [
      client,
      splitRange(client, from, to, pending)
        .filter(({ isCovered }) => !isCovered)
        .map((range) => ({ from: range.from, to: range.to })),
    ]),
  )
}

/** By client, the range that holds all of its parts. */
function spansOf(parts: Iterable<TextPart>): ReadonlyMap<number, ClockRange> {
  const spans = new Map<number, ClockRange>()
  for (const { client, from, to } of parts) {
    const known = spans.get(client) ?? { from, to }
    spans.set(client, { from: Math.min(known.from, from), to: Math.max(known.to, to) })
  }
  return spans
}

/** Deletes what the acts were about from a text; call it inside of a transaction. */
export function deleteCovered(text: Y.Text, acts: readonly Coverage[]): void {
  const covered = [...textParts(text, acts)].filter(({ isCovered }) => isCovered)
  for (const { index, from, to } of covered.reverse()) text.delete(index, to - from)
}

/** The form in which a coverage is stored: by client, the two ends of each range in a row; the end alone of one from 0 on. */
export function encodeCoverage(coverage: Coverage): Record<string, number | number[]> {
  return Object.fromEntries(
    [...coverage].map(([client, ranges]) => {
      const [first] = ranges
      if (ranges.length === 1 && first?.from === 0) return [client, first.to]
      return [client, ranges.flatMap(({ from, to }) => [from, to])]
    }),
  )
}

/** Reads a stored coverage; what cannot be read covers nothing. */
export function decodeCoverage(value: unknown): Coverage {
  const coverage = new Map<number, ClockRange[]>()
  for (const [client, stored] of Object.entries(asObject(value))) {
    const ends: unknown[] = Array.isArray(stored) ? stored : [0, stored]
    if (!ends.every((end) => typeof end === 'number')) continue
    const ranges: ClockRange[] = []
    for (let i = 0; i + 1 < ends.length; i += 2)
      ranges.push({ from: ends[i] as number, to: ends[i + 1] as number })
    coverage.set(Number(client), ranges)
  }
  return coverage
}

/** Goes through a text in its order. Yjs offers no other way to learn who typed which character. */
export function* textParts(text: Y.Text, acts: readonly Coverage[] = []): Generator<TextPart> {
  let index = 0
  let attributes: Readonly<Record<string, Json>> | null = null
  for (let item = text._start; item; item = item.right) {
    if (item.deleted) continue
    const { content, id } = item
    if (content instanceof Y.ContentFormat) attributes = withFormat(attributes, content)
    if (!item.countable) continue
    const isText = content instanceof Y.ContentString
    for (const { from, to, isCovered } of splitRange(id.client, id.clock, id.clock + item.length, acts)) {
      const insert = isText ? content.str.slice(from - id.clock, to - id.clock) : embedOf(content)
      yield { client: id.client, from, to, insert, attributes, index, isCovered }
      index += to - from
    }
  }
}

function withFormat(
  attributes: Readonly<Record<string, Json>> | null,
  { key, value }: Y.ContentFormat,
): Readonly<Record<string, Json>> | null {
  const { [key]: _, ...others } = attributes ?? {}
  const next = value === null ? others : { ...others, [key]: value as Json }
  return Object.keys(next).length > 0 ? next : null
}

function embedOf(content: unknown): Json {
  if (content instanceof Y.ContentEmbed) return content.embed as unknown as Json
  if (content instanceof Y.ContentType) return content.type.toJSON() as Json
  return null
}

/** Splits a range where acts begin and end to cover it. */
function splitRange(
  client: number,
  from: number,
  to: number,
  acts: readonly Coverage[],
): Array<ClockRange & { isCovered: boolean }> {
  const ranges = acts.flatMap((act) => act.get(client) ?? [])
  if (ranges.length === 0) return [{ from, to, isCovered: false }]
  const ends = ranges.flatMap((range) => [range.from, range.to]).filter((clock) => clock > from && clock < to)
  const bounds = [from, ...ends.sort((a, b) => a - b), to]
  const parts: Array<{ from: number; to: number; isCovered: boolean }> = []
  for (let i = 0; i + 1 < bounds.length; i++) {
    const [start, end] = [bounds[i] as number, bounds[i + 1] as number]
    const isCovered = ranges.some((range) => range.from <= start && start < range.to)
    const last = parts.at(-1)
    if (last?.isCovered === isCovered) last.to = end
    else if (start < end) parts.push({ from: start, to: end, isCovered })
  }
  return parts
}
