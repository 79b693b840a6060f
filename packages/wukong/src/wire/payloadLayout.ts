import type { Json } from '@parley/core'
import * as buffer from 'lib0/buffer'
import * as string from 'lib0/string'
import { type Fields, isFields } from '../json/fields.js'

// A store keeps the members of a payload sorted by name. Apps that sign or encrypt payloads need the bytes that were sent,
// so a message carries beside its payload what is needed to write these again.

/** How the payload of a message was written; a part of the message's `extra` in the store, and in no answer. */
export interface PayloadLayout {
  /**
   * The names of the members as they were sent, one list for the payload and one for each object in it, from the outside
   * in. Missing if they were sorted by name, with the `type` of a payload first, as most clients write it.
   */
  readonly payload_order?: readonly (readonly string[])[]
  /** The payload as it was sent, if it is more than its JSON in another order: with spaces, or without a `type`. */
  readonly payload_base64?: string
}

export const LAYOUT_NAMES: ReadonlySet<string> = new Set(['payload_order', 'payload_base64'])

/** The most characters of a payload that is kept twice: a value of a store holds 65,536 in all. */
const MAX_RAW_LENGTH = 20_000

/** Finds out how a payload was written; `null` if it is written so anyway. */
export function layoutOf(source: unknown, payload: Json): PayloadLayout | null {
  // What is base64 of no JSON is in the payload as it came.
  if (isFields(payload) && payload.base64 === source) return null
  if (typeof source === 'string' && (!isTyped(payload) || encodeJson(payload) !== source)) {
    return source.length > MAX_RAW_LENGTH ? null : { payload_base64: source }
  }
  const order: string[][] = []
  const isUsual = listOrder(payload, order, isTyped(payload))
  return isUsual ? null : { payload_order: order }
}

/** True for a payload of WuKongIM's shape, which has a `type`. */
export function isTyped(payload: unknown): payload is Fields {
  return isFields(payload) && typeof payload.type === 'number'
}

/** A payload as base64 of its JSON. */
export function encodeJson(payload: unknown): string {
  return buffer.toBase64(string.encodeUtf8(JSON.stringify(payload)))
}

/** The members of a payload in the order in which they were sent; in the usual order if the layout is of another one. */
export function inOrderSent(payload: Json, layout: unknown): Json {
  const order = isFields(layout) && Array.isArray(layout.payload_order) ? [...layout.payload_order] : null
  return (order && arrange(payload, order)) ?? inUsualOrder(payload)
}

/** A store has the members sorted by name; only the `type` moves. */
function inUsualOrder(payload: Json): Json {
  if (!isTyped(payload)) return payload
  const { type, ...others } = payload
  return { type, ...others } as Json
}

/** The payload as it was sent, if that was kept. */
export function bytesSent(layout: unknown): string | null {
  return isFields(layout) && typeof layout.payload_base64 === 'string' ? layout.payload_base64 : null
}

/** Adds the names of an object and of those in it to `order`; true if they are in the usual order. */
function listOrder(value: Json, order: string[][], beginsWithType = false): boolean {
  if (Array.isArray(value)) return value.map((element) => listOrder(element, order)).every(Boolean)
  if (!isFields(value)) return true
  const names = Object.keys(value)
  order.push(names)
  const inner = names.map((name) => listOrder(value[name] as Json, order))
  const sorted = beginsWithType ? names.slice(1) : names
  return (
    (!beginsWithType || names[0] === 'type') &&
    sorted.every((name, at) => at === 0 || (sorted[at - 1] as string) < name) &&
    inner.every(Boolean)
  )
}

/** Takes a list of names for each object; `undefined` where they are not those of the object. */
function arrange(value: Json, order: unknown[]): Json | undefined {
  if (Array.isArray(value)) {
    const elements = value.map((element) => arrange(element, order))
    return elements.some((element) => element === undefined) ? undefined : (elements as Json[])
  }
  if (!isFields(value)) return value
  const names = order.shift()
  if (!Array.isArray(names) || new Set(names).size !== Object.keys(value).length) return undefined
  const members: Array<[string, Json]> = []
  for (const name of names) {
    const member = Object.hasOwn(value, name) ? arrange(value[name] as Json, order) : undefined
    if (member === undefined) return undefined
    members.push([name, member])
  }
  return Object.fromEntries(members)
}
