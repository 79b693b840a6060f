import { type ChannelKey, isChannelKey } from '../conversation/channel.js'

/**
 * Where a draft is written: the composer of a conversation, named by the channel's key, or the edit of one of its messages,
 * named `42@1:bob`. A key of a channel has its colon before any `@`.
 */
export type DraftPlace = string

/** The place of the drafts that edit a message. */
export function editPlace(channel: ChannelKey, messageSeq: number): DraftPlace {
  return `${messageSeq}@${channel}`
}

/** Takes a place apart; `messageSeq` is `null` for the composer. Returns `null` for what is no place. */
export function parsePlace(place: DraftPlace): { channel: ChannelKey; messageSeq: number | null } | null {
  const [, seq, edited] = EDIT_PLACE.exec(place) ?? []
  const channel = edited ?? place
  const messageSeq = seq === undefined ? null : Number(seq)
  return isChannelKey(channel) ? { channel, messageSeq } : null
}

/** The conversation of a place. */
export function channelOf(place: DraftPlace): ChannelKey {
  return parsePlace(place)?.channel ?? place
}

const EDIT_PLACE = /^([1-9]\d{0,15})@(.*)$/s
