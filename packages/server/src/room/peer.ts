import type { CloseCode } from '@parley/core'

/** A connection as its room sees it. None of its methods throw. */
export interface Peer {
  /** True if what it sends must not change the document. */
  readonly readOnly: boolean
  /** True if even an update that changes nothing is to be stored. */
  readonly marksTime?: boolean
  send: (message: Uint8Array) => void
  /**
   * Sends the answer to a sync, which may be as large as the document, and calls `sent` when it has left the process. What is given
   * to `send` meanwhile follows it.
   */
  sendAnswer: (update: Uint8Array, sent: () => void) => void
  /** Ends the connection; nothing it sent later is looked at. */
  refuse: (code: CloseCode, reason: string) => void
}

/** What a room does for a peer, in the order in which it was asked for. */
export type Work =
  | { readonly type: 'update'; readonly update: Uint8Array }
  /** All that the peer has and the room lacked when the peer was asked. It overtakes what waits for it. */
  | { readonly type: 'answer'; readonly update: Uint8Array }
  /** Answer with what the peer lacks. */
  | { readonly type: 'sync'; readonly stateVector: Uint8Array }
  /** Say that all before is durable. */
  | { readonly type: 'barrier'; readonly reached: () => void }

/** A peer's place in a room: its queue of work. */
export interface Seat {
  add: (work: Work) => void
  /** Relays who is there. */
  receiveAwareness: (update: Uint8Array) => void
  sendAwareness: () => void
  /** What the first update that waits builds on, while that is expected with the peer's answer; `null` if none waits. */
  readonly stalled: string | null
  /** How many bytes wait to be dealt with. */
  readonly queuedBytes: number
  /** Called whenever `queuedBytes` has become less. */
  onDrain: () => void
  /** The peer is gone. What it sent before is stored all the same. May be called twice. */
  leave: () => void
}
