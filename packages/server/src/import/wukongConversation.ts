import { type Channel, type Json, MAX_MESSAGE_SEQ, type Message } from '@parley/core'
import { readArray, readFlag, readInteger, readObject, readText, readVersion } from './fields.js'
import { readChannel, readWukongMessage } from './wukongMessage.js'

/** A conversation of somebody else's server. */
export interface ImportedConversation {
  readonly channel: Channel
  readonly lastMsgSeq: number
  readonly version: number | string
  readonly unread: number
  readonly recents: readonly Message[]
  /** What its user did there, as far as the server tells. */
  readonly mute: boolean
  readonly stick: boolean
  readonly extra: ImportedExtra | null
}

/** TangSengDaoDao's state of a conversation that all devices of a user share. */
export interface ImportedExtra {
  readonly browseTo: number
  readonly keepMessageSeq: number
  readonly keepOffsetY: number
  readonly draft: string
}

/**
 * Reads a conversation as WuKongIM and TangSengDaoDao list it. The latter leaves out what is 0.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readWukongConversation(value: Json, field: string, me: string): ImportedConversation {
  const source = readObject(value, field)
  const at = (name: string): string => `${field}.${name}`
  const channel = readChannel(source, field)
  const recents = source.recents === undefined ? [] : readArray(source.recents, at('recents'))
  return {
    channel,
    lastMsgSeq: readInteger(source.last_msg_seq, at('last_msg_seq'), 0, MAX_MESSAGE_SEQ),
    version: readVersion(source.version, at('version')),
    unread: readInteger(source.unread ?? 0, at('unread'), 0, MAX_MESSAGE_SEQ),
    recents: recents.flatMap((recent, index) => {
      const message = readWukongMessage(recent, at(`recents[${index}]`), me, channel)
      return typeof message === 'string' ? [] : [message]
    }),
    mute: readFlag(source.mute, at('mute')),
    stick: readFlag(source.stick, at('stick')),
    extra: source.extra === undefined || source.extra === null ? null : readExtra(source.extra, at('extra')),
  }
}

function readExtra(value: Json, field: string): ImportedExtra {
  const source = readObject(value, field)
  const seq = (name: string): number => readInteger(source[name] ?? 0, `${field}.${name}`, 0, MAX_MESSAGE_SEQ)
  return {
    browseTo: seq('browse_to'),
    keepMessageSeq: seq('keep_message_seq'),
    keepOffsetY: readInteger(
      source.keep_offset_y ?? 0,
      `${field}.keep_offset_y`,
      -MAX_MESSAGE_SEQ,
      MAX_MESSAGE_SEQ,
    ),
    draft: readText(source.draft ?? '', `${field}.draft`),
  }
}
