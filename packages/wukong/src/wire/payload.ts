import type { Json } from '@parley/core'
import * as buffer from 'lib0/buffer'
import * as string from 'lib0/string'
import { parseExactJson } from '../json/exactJson.js'
import { isFields, refuse, toJson } from '../json/fields.js'
import { bytesSent, encodeJson, inOrderSent, isTyped } from './payloadLayout.js'

/** How a server writes the payload of a message: WuKongIM as base64 of JSON, TangSengDaoDao as JSON. */
export type PayloadForm = 'base64' | 'object'

/** Numbers of the payload types that everybody knows; see {@link isCommand}. */
const TEXT = 1
const UNKNOWN = 0
const COMMAND = 99

/** A payload that is base64 of something else than JSON: encrypted, mostly. */
export interface OpaquePayload {
  readonly base64: string
}

/**
 * Reads a payload in either form. What is base64 of no JSON is kept as `{ base64 }`; it may be encrypted.
 *
 * @throws ParleyError with code `invalid-argument`
 */
export function readPayload(value: unknown, field: string): Json {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') return isFields(value) ? toJson(value) : refuse(field, 'an object or base64')
  const bytes = fromBase64(value)
  if (!bytes) refuse(field, 'an object or base64')
  try {
    return parseExactJson(string.decodeUtf8(bytes), field)
  } catch {
    return { base64: value }
  }
}

/**
 * Writes a payload. With the `layout` of a message that came in as base64 the bytes are those that came in. A payload of
 * another shape than WuKongIM's, which has a `type`, becomes a text message otherwise.
 */
export function writePayload(payload: Json | undefined, form: PayloadForm, layout?: Json): unknown {
  const sent = form === 'base64' && payload !== undefined ? bytesSent(layout) : null
  if (sent !== null) return sent
  if (isOpaque(payload)) return form === 'base64' ? payload.base64 : { type: UNKNOWN, base64: payload.base64 }
  const typed = isTyped(payload) ? inOrderSent(payload as Json, layout) : asText(payload)
  return form === 'object' ? typed : encodeJson(typed)
}

function isOpaque(payload: unknown): payload is OpaquePayload {
  return isFields(payload) && typeof payload.base64 === 'string' && Object.keys(payload).length === 1
}

function asText(payload: Json | undefined): Json {
  const text = isFields(payload) ? (payload.content ?? payload.text) : payload
  return { type: TEXT, content: typeof text === 'string' ? text : '' }
}

/** True for what is no message to a reader: a command to the app. */
export function isCommand(payload: Json): boolean {
  return contentTypeOf(payload) === COMMAND
}

/** True for a type that the client which took the message in did not know. */
export function isUnknownType(payload: Json | undefined): boolean {
  return contentTypeOf(payload) === UNKNOWN
}

function contentTypeOf(payload: Json | undefined): unknown {
  return isFields(payload) ? payload.type : undefined
}

/** True if a payload mentions a user, by name or as everybody. */
export function mentions(payload: Json, uid: string): boolean {
  return mentionsOf(payload)(uid)
}

/** Whom a payload mentions, for many users: the list of names is read once. */
export function mentionsOf(payload: Json): (uid: string) => boolean {
  if (!isFields(payload) || !isFields(payload.mention)) return () => false
  const { all, uids } = payload.mention
  if (all === 1 || all === true) return () => true
  const named = new Set<unknown>(Array.isArray(uids) ? uids : [])
  return (uid) => named.has(uid)
}

const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}$/

function fromBase64(text: string): Uint8Array | null {
  const compact = text.replace(/[\r\n]/g, '')
  if (!BASE64.test(text) || compact.length % 4 === 1) return null
  return buffer.fromBase64(compact)
}
