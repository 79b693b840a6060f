import { type Json, type Message, ParleyError } from '@parley/core'
import { type ListedConversation, parseExactJson, readMessage, readSyncAnswer } from '@parley/wukong'

/** What a file holds for one user. */
export interface ImportedState {
  readonly conversations: readonly ListedConversation[]
  readonly messages: readonly Message[]
  /** Messages that are left out: commands, and what other people say to each other. */
  readonly skipped: number
}

const KNOWN_SHAPES =
  "a list of conversations as WuKongIM's or TangSengDaoDao's /conversation/sync answers it, or messages, one JSON object a line"

/**
 * Reads a file of conversations or messages; which of them it holds is found out.
 *
 * - TangSengDaoDao's `/conversation/sync`: an object with `conversations`
 * - WuKongIM v2's `/conversation/sync`: an array of conversations
 * - messages as WuKongIM's `msg.notify` webhook posts them: an array, or one object a line
 *
 * @throws ParleyError with code `invalid-argument` that names the member, as in `conversations[3].channel_type`
 * @example
 * ```ts
 * import { readImport } from '@parley/server'
 *
 * const file = '[{"channel_id":"bob","channel_type":1,"last_msg_seq":3,"unread":1}]'
 * readImport(file, 'alice').conversations[0]?.channel // { channelId: 'bob', channelType: 1 }
 * ```
 */
export function readImport(text: string, me: string): ImportedState {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed === '') refuse('The file', `${KNOWN_SHAPES}; it is empty`)
  if (isLines(trimmed)) return readMessages(parseLines(trimmed), me, (index) => `line ${index + 1}`)
  const value = parseExactJson(trimmed, 'The file')
  if (Array.isArray(value)) {
    const isMessages = value.length > 0 && isObject(value[0]) && 'message_seq' in value[0]
    if (isMessages) return readMessages(value, me, (index) => `messages[${index}]`)
    return readConversations(value, me)
  }
  if (!isObject(value)) refuse('The file', KNOWN_SHAPES)
  if ('conversations' in value) return readConversations(value, me)
  if ('message_seq' in value) return readMessages([value], me, () => 'line 1')
  return refuse('The file', KNOWN_SHAPES)
}

/** True for one JSON object a line. An object over several lines has none that is whole in its first. */
function isLines(text: string): boolean {
  const end = text.indexOf('\n')
  return end > 0 && text.startsWith('{') && text.slice(0, end).trimEnd().endsWith('}')
}

function parseLines(text: string): Json[] {
  return text
    .split('\n')
    .map((line, index) => (line.trim() === '' ? null : parseExactJson(line, `line ${index + 1}`)))
}

function readConversations(value: Json, me: string): ImportedState {
  checkMembers(value)
  const { conversations, uid } = readSyncAnswer(value, { me })
  if (uid !== undefined && uid !== me) {
    const message = `uid is ${JSON.stringify(uid)}; these are not conversations of ${me}`
    throw new ParleyError('invalid-argument', message, { field: 'uid' })
  }
  for (const [index, conversation] of conversations.entries()) {
    for (const [at, message] of conversation.recents.entries()) {
      checkTime(message, `conversations[${index}].recents[${at}]`)
    }
  }
  return { conversations, messages: [], skipped: 0 }
}

/** The end of the year 2999 in milliseconds: WuKongIM's times are in seconds, and milliseconds taken for them lie beyond. */
const MAX_TIME_MS = Date.UTC(3000, 0)

function checkTime({ timestamp }: Message, field: string): void {
  if (timestamp < MAX_TIME_MS) return
  refuse(`${field}.timestamp`, `seconds since 1970; ${timestamp / 1000} looks like milliseconds`)
}

/** What the answers to a sync hold, of a conversation by its second word and of the envelope by its first. */
const ENVELOPE_MEMBERS = new Set(
  'uid conversations deletes users groups channel_status cmd_version cmds version sync_version more cursor server_time'.split(
    ' ',
  ),
)
const CONVERSATION_MEMBERS = new Set(
  `channel_id channelId channelID channel_type channelType channel last_client_msg_no lastMsgClientNo lastClientMsgNo last_msg_seq lastMsgSeq
  unread timestamp version recents mute stick extra remoteExtra is_deleted isDeleted offset_msg_seq readed_to_msg_seq active_at last_message
  lastMessageSeq lastMessage lastMsgTimestamp unreadCount avatar isTop isMute name parent parentChannelID parentChannelType isDeleted
  read_seq deleted_to_seq parent_channel_id parent_channel_type deleted_at_msg_seq read_to_msg_seq browse_to category sparse_active channel_info channelInfo`.split(
    /\s+/,
  ),
)

/** Refuses what no server answers: what is not understood would be lost, and the import would say that all went well. */
function checkMembers(value: Json): void {
  const check = (item: Json, known: ReadonlySet<string>, path: string): void => {
    if (!isObject(item)) return
    for (const name of Object.keys(item)) {
      if (!known.has(name)) refuse(`${path}${name}`, 'left out: no server is known that answers it')
    }
  }
  if (isObject(value)) check(value, ENVELOPE_MEMBERS, '')
  const items = isObject(value) ? value.conversations : value
  if (!Array.isArray(items)) return
  for (const [index, item] of items.entries()) check(item, CONVERSATION_MEMBERS, `conversations[${index}].`)
}

function readMessages(values: readonly Json[], me: string, field: (index: number) => string): ImportedState {
  const messages: Message[] = []
  let skipped = 0
  for (const [index, value] of values.entries()) {
    // An empty line.
    if (value === null) continue
    const message = readMessage(value, { me, field: field(index) })
    if (typeof message === 'string') skipped++
    else {
      checkTime(message, field(index))
      messages.push(message)
    }
  }
  return { conversations: [], messages, skipped }
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(field: string, expectation: string): never {
  throw new ParleyError('invalid-argument', `${field} must be ${expectation}`, { field })
}
