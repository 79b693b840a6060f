import { type Channel, channelKey, type Json, type Message, type ProvidedConversation } from '@parley/core'
import type { SampleChunk, SampleIndex, SampleLine } from './sampleFormat.js'

/** The files of the sample as they lie in the repository. */
export interface SampleSources {
  readonly about: string
  /** A conversation list as WuKongIM answers it. */
  readonly conversations: string
  /** One message a line, oldest first. */
  readonly messages: string
}

/** The sample as the web app loads it. */
export interface ConvertedSample {
  readonly index: SampleIndex
  readonly chunks: ReadonlyMap<string, readonly SampleLine[]>
}

/** A message as WuKongIM carries it; numbers beyond 2^53 were made strings. */
interface WukongMessage {
  readonly header: { readonly red_dot?: number }
  readonly message_idstr: string
  readonly client_msg_no: string
  readonly message_seq: number
  readonly from_uid: string
  readonly channel_id: string
  readonly channel_type: number
  readonly timestamp: number
  readonly payload: string
}

interface WukongConversation {
  readonly channel_id: string
  readonly channel_type: number
  readonly unread: number
  readonly last_msg_seq: number
  readonly version: number | string
  readonly recents: readonly WukongMessage[]
}

const PERSON = 1
/** Lines in a chunk: about 40 KB, a few screens of scrolling. */
const CHUNK_LINES = 500

/** Turns WuKongIM's shapes into the ones the store takes, and the messages into small files. */
export function convertSample({ about, conversations, messages }: SampleSources): ConvertedSample {
  const { uid, group, members } = JSON.parse(about) as { uid: string; group: string; members: string[] }
  const listed = parse<WukongConversation[]>(conversations).map((conversation) => provide(conversation, uid))
  const lines = new Map<string, SampleLine[]>(listed.map(({ channel }) => [channelKey(channel), []]))
  for (const line of messages.split('\n')) {
    if (line === '') continue
    const message = parse<WukongMessage>(line)
    const { message_seq, from_uid, channel_id, channel_type, timestamp, payload } = message
    // What two others say to each other is in the file too.
    if (channel_type === PERSON && from_uid !== uid && channel_id !== uid) continue
    lines
      .get(channelKey(channelFor(message, uid)))
      ?.push([message_seq, from_uid, timestamp, textOf(decodePayload(payload))])
  }
  const chunks = new Map<string, readonly SampleLine[]>()
  const history: Record<string, SampleChunk[]> = {}
  for (const [place, [key, all]] of [...lines].entries()) {
    history[key] = []
    for (let start = 0; start < all.length; start += CHUNK_LINES) {
      const part = all.slice(start, start + CHUNK_LINES)
      // By number: nicknames hold characters that file names do not.
      const file = `${place}-${start / CHUNK_LINES}.json`
      chunks.set(file, part)
      history[key].push({ file, fromSeq: part[0]?.[0] ?? 0, toSeq: part.at(-1)?.[0] ?? 0 })
    }
  }
  return {
    index: {
      userId: uid,
      conversations: listed,
      history,
      members: { [channelKey({ channelId: group, channelType: 2 })]: members.length },
    },
    chunks,
  }
}

function provide(conversation: WukongConversation, uid: string): ProvidedConversation {
  const { channel_id, channel_type, unread, last_msg_seq, version, recents } = conversation
  return {
    channel: { channelId: channel_id, channelType: channel_type },
    lastMsgSeq: last_msg_seq,
    version,
    unread,
    recents: recents.map((message) => convertMessage(message, uid)),
  }
}

/** Turns one message of WuKongIM into one that the store takes: seconds become milliseconds, base64 becomes JSON. */
export function convertMessage(message: WukongMessage, uid: string): Message {
  return {
    channel: channelFor(message, uid),
    messageSeq: message.message_seq,
    fromUid: message.from_uid,
    timestamp: message.timestamp * 1000,
    payload: decodePayload(message.payload),
    messageId: message.message_idstr,
    clientMsgNo: message.client_msg_no,
    ...(message.header.red_dot === 0 ? { silent: true } : {}),
  }
}

/** A message between two people is addressed to one of them; each has it in the conversation with the other. */
function channelFor({ channel_id, channel_type, from_uid }: WukongMessage, uid: string): Channel {
  const toMe = channel_type === PERSON && channel_id === uid
  return { channelId: toMe ? from_uid : channel_id, channelType: channel_type }
}

/** Parses JSON whose integers may be beyond 2^53: those stay digits, as strings. */
function parse<Value>(json: string): Value {
  return JSON.parse(json.replace(/"(message_id|version)":\s*(\d{16,})/g, '"$1":"$2"')) as Value
}

function decodePayload(base64: string): Json {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes)) as Json
}

function textOf(payload: Json): string {
  const { content } = (payload ?? {}) as { content?: Json }
  return typeof content === 'string' ? content : ''
}
