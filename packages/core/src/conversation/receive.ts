import { parseSubmissionId } from '../drafts/draftView.js'
import { acknowledgeMessage } from '../drafts/submission.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import type { ChannelKey } from './channel.js'
import type { ChannelFacts } from './facts.js'
import { type CheckedMessage, checkMessage, type Message } from './message.js'
import { type Run, unionOfRuns } from './runs.js'

/**
 * Takes in messages: any number, in any order, late, repeated, edited, recalled, one's own, silent. The same messages give
 * the same state whatever way they come.
 */
export function receiveMessages(core: StoreCore, messages: readonly Message[]): void {
  const byChannel = checkMessages(messages)
  core.transact((writer) => {
    for (const [key, inChannel] of byChannel) {
      writeMessages(writer, core.userId, key, core.facts(key), inChannel)
    }
    for (const { clientMsgNo, fromUid } of messages) {
      // One's own message coming back is the server's acknowledgement of it.
      const submission = fromUid === core.userId && clientMsgNo ? parseSubmissionId(clientMsgNo) : null
      if (submission) acknowledgeMessage(core, writer, submission)
    }
  })
}

/** What must be known of a channel to write its messages without saying again what is said. */
export type KnownFacts = Pick<ChannelFacts, 'readSeq' | 'ownSeq' | 'joinSeq' | 'quiet'>

/** What is known of a channel whose document is not at hand. */
export const NOTHING_KNOWN: KnownFacts = { readSeq: 0, ownSeq: 0, joinSeq: 0, quiet: [] }

/** Checks all messages, so that a bad one changes nothing, and sorts them by channel; `nameOf` is what an error calls one. */
export function checkMessages(
  messages: readonly Message[],
  nameOf: (index: number) => string = (index) => `messages[${index}]`,
): ReadonlyMap<ChannelKey, CheckedMessage[]> {
  const checked = messages.map((message, index) => checkMessage(message, nameOf(index)))
  const byChannel = new Map<ChannelKey, CheckedMessage[]>()
  for (const message of checked) {
    const others = byChannel.get(message.key)
    if (others) others.push(message)
    else byChannel.set(message.key, [message])
  }
  return byChannel
}

/** Writes the entries of messages of one channel. */
export function writeMessages(
  writer: Writer,
  userId: string,
  key: ChannelKey,
  facts: KnownFacts,
  messages: readonly CheckedMessage[],
): void {
  const settled = Math.max(facts.readSeq, facts.ownSeq, facts.joinSeq - 1)
  const quiet: number[] = []
  for (const { messageSeq, version, fromUid, silent, mentionsMe, head } of messages) {
    writer.putText(key, 'head', [messageSeq, version], head)
    if (fromUid === userId) writer.put(key, 'own', [messageSeq])
    // What is read on some device already can raise no badge any more.
    else if (messageSeq > settled) {
      if (silent) quiet.push(messageSeq)
      if (mentionsMe) writer.put(key, `mention.${messageSeq}`, [0])
    }
  }
  for (const { from, to } of newRuns(facts, quiet)) writer.put(key, `quiet.${from}`, [to])
}

/** The runs to write so that the union of all covers these numbers too; a run is continued where it can be. */
function newRuns({ quiet }: KnownFacts, seqs: readonly number[]): Run[] {
  if (seqs.length === 0) return []
  const union = unionOfRuns([...quiet, ...seqs.map((seq) => ({ from: seq, to: seq }))])
  const known = new Set(quiet.map(({ from, to }) => `${from}-${to}`))
  return union.filter(({ from, to }) => !known.has(`${from}-${to}`))
}
