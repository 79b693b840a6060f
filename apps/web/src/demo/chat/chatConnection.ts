import {
  type ChangeBatch,
  type Channel,
  type Message,
  ParleyError,
  type Readable,
  type Store,
  type Submission,
} from '@parley/core'
import { type ChatMessage, fromLastMessage, readQuote, toPayload } from './chatMessage.js'
import type { ChatServer, Delivery } from './chatServer.js'
import { mentions } from './mentions.js'
import type { Outbox, Waiting } from './outbox.js'

/** One device's connection to the chat server: sends what is submitted, takes in what arrives. */
export interface ChatConnection {
  /** Sends a submission as soon as there is a network. The message that comes back acknowledges it. */
  submit: (channel: Channel, submission: Submission) => void
  /** Gives up on a submission that is still on its way; its text comes back into the composer. */
  cancel: (channel: Channel, submissionId: string) => void
  /** Makes the next submission fail, to show what happens then. */
  failNext: () => void
  close: () => void
}

/** What {@link createChatConnection} needs. */
export interface ChatConnectionOptions {
  readonly store: Store
  readonly server: ChatServer
  readonly outbox: Outbox
  /** Whether the chat server can be reached. */
  readonly online: Readable<boolean>
  readonly latencyMs?: number
}

/** About what a message takes to a server and back. */
const LATENCY_MS = 450
/** More conversations than this at once are a list that was loaded, not messages that somebody sent. */
const MAX_LEARNED = 20

/** Connects a device to a {@link ChatServer}. */
export function createChatConnection(options: ChatConnectionOptions): ChatConnection {
  const { store, server, outbox, online, latencyMs = LATENCY_MS } = options
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const inFlight = new Set<string>()
  let failing = false

  const later = (action: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      action()
    }, latencyMs)
    timers.add(timer)
  }
  const receive = (deliveries: readonly Delivery[]): void => {
    const messages = deliveries.map(({ channel, message }) => toMessage(channel, message, store.userId))
    if (messages.length > 0) store.receive(messages)
  }
  const fail = (channel: Channel, submissionId: string): void => {
    outbox.remove(submissionId)
    inFlight.delete(submissionId)
    try {
      store.conversation(channel).draft.sendFailed(submissionId)
    } catch (error) {
      // Acknowledged and cleaned up meanwhile: there is nothing to bring back.
      if (!(error instanceof ParleyError) || error.code !== 'not-found') throw error
    }
  }
  const deliver = ({ channel, submission }: Waiting): void => {
    const { submissionId, text } = submission
    if (inFlight.has(submissionId) || !online.getSnapshot()) return
    inFlight.add(submissionId)
    const fails = failing
    failing = false
    later(() => {
      // Cancelled, or gone offline, while it was on its way.
      if (!inFlight.delete(submissionId) || !online.getSnapshot()) return
      if (fails) return fail(channel, submissionId)
      const reply = readQuote(submission.reply)
      server.post({
        channel,
        fromUid: store.userId,
        timestamp: Date.now(),
        content: text,
        ...(reply ? { reply } : {}),
        clientMsgNo: submissionId,
        knownSeq: store.conversation(channel).getSnapshot().lastMessage?.messageSeq ?? 0,
      })
      outbox.remove(submissionId)
    })
  }
  const catchUp = (): void => {
    if (!online.getSnapshot()) return
    receive(server.all())
    for (const entry of outbox.entries()) deliver(entry)
  }
  /** What other browsers sent is not in this one's chat server; their newest message comes with the conversation. */
  const learn = ({ source, changes }: ChangeBatch): void => {
    if (source !== 'remote' || changes.length > MAX_LEARNED) return
    for (const change of changes) {
      if (change.type === 'removed' || (change.type !== 'added' && !change.fields.includes('lastMessage')))
        continue
      const { channel, lastMessage } = change.conversation
      if (lastMessage && !lastMessage.removed) server.learn(channel, fromLastMessage(lastMessage))
    }
  }

  const stops = [
    store.onChange(learn),
    server.subscribe((delivery) => {
      if (online.getSnapshot()) receive([delivery])
    }),
    online.subscribe(catchUp),
  ]
  catchUp()

  return {
    submit(channel, submission) {
      const entry = { channel, submission }
      outbox.add(entry)
      deliver(entry)
    },
    cancel: fail,
    failNext() {
      failing = true
    },
    close() {
      for (const stop of stops) stop()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/** A message of the chat server as the store takes it. */
function toMessage(channel: Channel, message: ChatMessage, userId: string): Message {
  const { messageSeq, fromUid, timestamp, content, reply, clientMsgNo } = message
  return {
    channel,
    messageSeq,
    fromUid,
    timestamp,
    payload: toPayload(content, reply),
    ...(clientMsgNo === undefined ? {} : { clientMsgNo }),
    ...(fromUid !== userId && mentions(content, userId) ? { mentionsMe: true } : {}),
  }
}
