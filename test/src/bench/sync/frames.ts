import { createStore, onUpdate } from '@parley/core'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

// y-websocket's messages, https://github.com/yjs/y-websocket.
const MESSAGE_SYNC = 0
const SYNC_STEP_1 = 0
const SYNC_STEP_2 = 1
const SYNC_UPDATE = 2

/** What a message says, as far as a load generator must know. */
export type FrameKind = 'asks' | 'answers' | 'updates' | 'other'

export function kindOf(frame: Uint8Array): FrameKind {
  if (frame[0] !== MESSAGE_SYNC) return 'other'
  return frame[1] === SYNC_STEP_1 ? 'asks' : frame[1] === SYNC_STEP_2 ? 'answers' : 'updates'
}

/** What a device says when it connects. */
export interface Greeting {
  /** Asks for what the device lacks. */
  readonly question: Uint8Array
  /** Answers the server's question: what the server lacks. */
  readonly answer: Uint8Array
}

/** A device that has nothing yet. */
export const NEWCOMER: Greeting = {
  question: encode(SYNC_STEP_1, new Uint8Array([0])),
  answer: encode(SYNC_STEP_2, new Uint8Array([0, 0])),
}

/** A device that has a document, and brings it if `brings`; otherwise the server has it too. */
export function greetingOf(state: Uint8Array, brings: boolean): Greeting {
  return {
    question: encode(SYNC_STEP_1, Y.encodeStateVectorFromUpdate(state)),
    answer: brings ? encode(SYNC_STEP_2, state) : NEWCOMER.answer,
  }
}

/** The frames of what one device does, one after the other. */
export interface Edits {
  readonly frames: readonly Uint8Array[]
  /** Which of the frames came last, -1 if none: they may come one by one or several as one. */
  placeOf: (frame: Uint8Array) => number
}

const CHANNEL = { channelId: 'group-17', channelType: 2 }

/**
 * A user who reads on, message by message: the smallest and most frequent thing a device says. Each user of a load does the
 * same, in a document of their own.
 */
export function readingOn(count: number): Edits {
  const store = createStore({ userId: 'me' })
  const frames: Uint8Array[] = []
  const places = new Map<number, number>()
  const { clientID } = store.doc
  onUpdate(store.doc, ({ update }) => {
    places.set(Y.getState(store.doc.store, clientID), frames.length)
    frames.push(encode(SYNC_UPDATE, update))
  })
  const conversation = store.conversation(CHANNEL)
  for (let seq = 1; frames.length < count; seq++) conversation.markRead(seq)
  store.close()
  return {
    frames,
    placeOf(frame) {
      const { structs } = Y.decodeUpdate(frame.subarray(frame.byteLength - payloadLength(frame)))
      let end = 0
      for (const { id, length } of structs) if (id.client === clientID) end = Math.max(end, id.clock + length)
      return places.get(end) ?? -1
    },
  }
}

/** The length of what a frame carries, written as a number of seven bits a byte. */
function payloadLength(frame: Uint8Array): number {
  let length = 0
  for (let at = 2, factor = 1; ; at++, factor *= 128) {
    const byte = frame[at] as number
    length += (byte & 127) * factor
    if (byte < 128) return length
  }
}

function encode(step: number, payload: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MESSAGE_SYNC)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, payload)
  return encoding.toUint8Array(encoder)
}
