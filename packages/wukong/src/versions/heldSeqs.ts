import { parseLastMsgSeqs } from '../wire/lastMsgSeqs.js'
import type { VersionIndex } from './versionIndex.js'

/**
 * Up to which message a client says it has the conversations of a version index, each at its place there; `undefined` where it
 * lists none. Not by key: to make a map of ten thousand for every sync takes longer than all else that it does.
 */
export type HeldSeqs = ReadonlyArray<number | undefined>

/**
 * Reads from `last_msg_seqs` what a client has of the conversations of an index. Where an id could end at several places, the
 * index tells which of the channels exists.
 */
export function readHeldSeqs(text: unknown, index: Pick<VersionIndex, 'size' | 'placeOf'>): HeldSeqs {
  if (text === '') return []
  // As long as it can become: filled from behind, one that grows would be a slow hash table.
  const held = new Array<number | undefined>(index.size)
  parseLastMsgSeqs(text, (channelId, channelType, seq) => {
    const place = index.placeOf(channelId, channelType)
    if (place === undefined) return false
    // Twice listed, the smaller number is the safe one: a message too many, none too few.
    const before = held[place]
    if (before === undefined || seq < before) held[place] = seq
    return true
  })
  return held
}
