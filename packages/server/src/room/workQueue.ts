import { CLOSE_CODES, type CloseCode } from '@parley/core'
import * as Y from 'yjs'
import { encodeSyncAnswer } from '../connection/messages.js'
import type { Peer, Work } from './peer.js'

/** One turn of a room stores up to this much of one connection as one entry. */
const MAX_RUN_BYTES = 1024 * 1024
const MAX_RUN_COUNT = 256

/** What an entry of a queue costs beside its bytes: a million empty ones are not free. */
const WORK_OVERHEAD_BYTES = 64

/** The queue of one peer. The room takes from it; nothing overtakes anything within it. */
export interface WorkQueue {
  readonly peer: Peer
  /** True once the first sync was answered: from then on the peer hears of every change, and lacks none before. */
  readonly synced: boolean
  readonly bytes: number
  /** True until the peer has answered what it was asked when it came: what it sends may build on what it answers. */
  readonly awaitsAnswer: boolean
  readonly stalled: string | null
  /** Leaves the updates at the head where they are until `retry`, or until the peer answers. */
  stall: (reason: string) => void
  retry: () => void
  /** True when nothing is left to do and nothing more will come. */
  readonly finished: boolean
  add: (work: Work) => void
  /** Does what stands at the head and needs nothing stored; without a document as far as it needs none. */
  answer: (doc: Y.Doc | null) => void
  /** True if what stands at the head cannot be done without the document. */
  readonly wantsDocument: boolean
  /** The updates at the head, at most as many as make one entry. */
  peekUpdates: () => Uint8Array[]
  removeUpdates: (count: number) => void
  /** The peer did what cannot be accepted: it is told, and all its work is dropped, so that no barrier is reached. */
  refuse: (code: CloseCode, reason: string) => void
  /** The peer is gone: only its updates still matter. */
  leave: () => void
}

/** Creates the {@link WorkQueue} of a peer; `asked` if it is to send an answer, `wake` asks the room for a turn. */
export function createWorkQueue(peer: Peer, asked: boolean, wake: () => void): WorkQueue {
  let work: Work[] = []
  let bytes = 0
  let synced = false
  let answering = false
  let awaitsAnswer = asked
  let stalled: string | null = null
  let gone = false
  let refused = false

  const refuse = (code: CloseCode, reason: string): void => {
    if (refused) return
    refused = true
    work = []
    bytes = 0
    peer.refuse(code, reason)
  }

  const remove = (count: number): void => {
    for (const item of work.splice(0, count)) bytes -= sizeOf(item)
  }

  const answerSync = (doc: Y.Doc, stateVector: Uint8Array): void => {
    let missing: Uint8Array
    try {
      missing = Y.encodeStateAsUpdate(doc, stateVector)
    } catch {
      refuse(CLOSE_CODES.malformed, 'not a state vector')
      return
    }
    synced = true
    // One at a time: a client that asks and does not read would have us hold its document many times over.
    answering = true
    peer.sendAnswer(encodeSyncAnswer(missing), () => {
      answering = false
      wake()
    })
  }

  return {
    peer,
    get synced() {
      return synced && !gone && !refused
    },
    get bytes() {
      return bytes
    },
    get finished() {
      return (gone || refused) && work.length === 0
    },
    get awaitsAnswer() {
      return awaitsAnswer && !gone
    },
    get stalled() {
      return stalled
    },
    stall(reason) {
      stalled = reason
    },
    retry() {
      stalled = null
    },
    add(item) {
      if (gone || refused) return
      if (item.type === 'answer') {
        // First, for the others may build on it. A barrier that it overtakes only says less than it could.
        work.unshift(item)
        awaitsAnswer = false
        stalled = null
      } else work.push(item)
      bytes += sizeOf(item)
      wake()
    },
    answer(doc) {
      for (let first = work[0]; first && isAnswerable(first); first = work[0]) {
        if (first.type === 'sync' && !gone && (answering || !doc)) return
        remove(1)
        if (first.type === 'barrier') first.reached()
        else if (doc && !gone) answerSync(doc, first.stateVector)
      }
    },
    get wantsDocument() {
      const [first] = work
      if (!first || first.type === 'barrier') return false
      return first.type === 'sync' ? !answering : stalled === null
    },
    peekUpdates() {
      const updates: Uint8Array[] = []
      if (stalled !== null) return updates
      let size = 0
      for (const item of work) {
        if (isAnswerable(item)) break
        size += item.update.byteLength
        if (updates.length > 0 && (size > MAX_RUN_BYTES || updates.length === MAX_RUN_COUNT)) break
        updates.push(item.update)
      }
      return updates
    },
    removeUpdates: remove,
    refuse,
    leave() {
      gone = true
      stalled = null
      wake()
    },
  }
}

function isAnswerable(work: Work): work is Exclude<Work, { update: Uint8Array }> {
  return work.type === 'sync' || work.type === 'barrier'
}

function sizeOf(work: Work): number {
  if (!isAnswerable(work)) return WORK_OVERHEAD_BYTES + work.update.byteLength
  if (work.type === 'sync') return WORK_OVERHEAD_BYTES + work.stateVector.byteLength
  return WORK_OVERHEAD_BYTES
}
