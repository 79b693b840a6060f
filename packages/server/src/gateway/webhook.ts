import { gunzipSync } from 'node:zlib'
import { type Body, bodyOf, MAX_MESSAGES, readList, readText, readTexts, refuse } from './body.js'
import { type Envelope, readEnvelope } from './wireMessages.js'

/** The most that a list of recipients may come to. */
const MAX_LIST_BYTES = 8 * 1024 * 1024

/** The messages of a `msg.notify` webhook. For a group it does not say who is in it. */
export function readNotify(body: unknown): Envelope[] {
  const list = readList({ messages: Array.isArray(body) ? body : [body] }, 'messages', MAX_MESSAGES)
  return list.map((message, index) => readEnvelope(message, `messages[${index}]`))
}

/** The message of a `msg.offline` webhook, for those who are not online. */
export function readOffline(value: unknown): Envelope[] {
  const body = bodyOf(value)
  const { to_uids, compress: _, compress_to_uids: __, source_id: ___, ...message } = body
  const isCompressed = readText(body, 'compress') !== ''
  const recipients = isCompressed ? unpack(body) : readTexts({ to_uids }, 'to_uids')
  return [readEnvelope({ ...message, recipients: recipients ?? [] }, 'message')]
}

/** Many recipients come as base64 of a gzipped JSON array. */
function unpack(body: Body): string[] | undefined {
  if (readText(body, 'compress') !== 'gzip') refuse('compress', "'gzip' or left out")
  const packed = Buffer.from(readText(body, 'compress_to_uids'), 'base64')
  let list: unknown
  try {
    list = JSON.parse(gunzipSync(packed, { maxOutputLength: MAX_LIST_BYTES }).toString())
  } catch {
    refuse('compress_to_uids', 'base64 of a gzipped JSON array')
  }
  return readTexts({ compress_to_uids: list }, 'compress_to_uids')
}
