import { CLOSE_CODES, type CloseCode } from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import type { Peer, Work } from './peer.js'

/** One turn of a room stores up to this much of one connection as one entry. */
const MAX_RUN_BYTES = 64 * 1024
const MAX_RUN_COUNT = 256

/** What an entry of a queue costs beside its bytes: a million empty ones are not free. */
const WORK_OVERHEAD_BYTES = 64

/** What of a queue is looked at together. */
export type Updates = readonly [Uint8Array, ...Uint8Array[]]

/**
 * The queue of one peer. The room takes from it; nothing overtakes anything within it.
 *
 * A class, as what there is one of for each connection or room: an object literal with getters would be a hash table each.
 */
export class WorkQueue {
  readonly peer: Peer
  /** Called after a turn, when less may wait than before. */
  onDrain: () => void = () => {}
  /** True if its next gap may wait for what another connection brings. */
  mayWait = true
  private readonly room: { wake: () => void }
  private work: Work[] = []
  private waitingBytes = 0
  private wasAnswered = false
  private isAnswering = false
  private isAsked: boolean
  private stallReason: string | null = null
  private isGone = false
  private isRefused = false

  /** @param asked true if the peer is to send an answer; the room is woken for a turn */
  constructor(peer: Peer, asked: boolean, room: { wake: () => void }) {
    this.peer = peer
    this.isAsked = asked
    this.room = room
  }

  /** True once the first sync was answered: from then on the peer hears of every change, and lacks none before. */
  get synced(): boolean {
    return this.wasAnswered && !this.isGone && !this.isRefused
  }

  get bytes(): number {
    return this.waitingBytes
  }

  get hasWork(): boolean {
    return this.work.length > 0
  }

  /** True when nothing is left to do and nothing more will come. */
  get finished(): boolean {
    return (this.isGone || this.isRefused) && this.work.length === 0
  }

  /** True until the peer has answered what it was asked when it came: what it sends may build on what it answers. */
  get awaitsAnswer(): boolean {
    return this.isAsked && !this.isGone
  }

  get stalled(): string | null {
    return this.stallReason
  }

  /** True if what stands at the head cannot be done without the document. */
  get wantsDocument(): boolean {
    const [first] = this.work
    if (!first || first.type === 'barrier') return false
    return first.type === 'sync' ? !this.isAnswering : this.stallReason === null
  }

  /** True if somebody's edit waits; the answer to the server's own question may have nothing new. */
  get hasEdit(): boolean {
    return this.stallReason === null && this.work[0]?.type === 'update'
  }

  /** Leaves the updates at the head where they are until `retry`, or until the peer answers. */
  stall(reason: string): void {
    this.stallReason = reason
  }

  retry(): void {
    this.stallReason = null
  }

  add(item: Work): void {
    if (this.isGone || this.isRefused) return
    if (item.type === 'answer') {
      // First, for the others may build on it. A barrier that it overtakes only says less than it could.
      this.work.unshift(item)
      this.isAsked = false
      this.stallReason = null
    } else this.work.push(item)
    this.waitingBytes += sizeOf(item)
    this.room.wake()
  }

  /** Does what stands at the head and needs nothing stored; without a document as far as it needs none. */
  answer(document: { readonly doc: Y.Doc } | null): void {
    for (let first = this.work[0]; first && isAnswerable(first); first = this.work[0]) {
      if (first.type === 'sync' && !this.isGone && (this.isAnswering || !document)) return
      this.removeUpdates(1)
      if (first.type === 'barrier') first.reached()
      else if (document && !this.isGone) this.answerSync(document.doc, first.stateVector)
    }
  }

  /** The updates at the head, at most as many as make one entry; `null` if there are none. */
  peekUpdates(): Updates | null {
    const [first] = this.work
    if (this.stallReason !== null || !first || isAnswerable(first)) return null
    const updates: [Uint8Array, ...Uint8Array[]] = [first.update]
    let size = first.update.byteLength
    for (let next = 1; next < Math.min(this.work.length, MAX_RUN_COUNT); next++) {
      const item = this.work[next] as Work
      if (isAnswerable(item)) break
      size += item.update.byteLength
      if (size > MAX_RUN_BYTES) break
      updates.push(item.update)
    }
    return updates
  }

  removeUpdates(count: number): void {
    for (const item of this.work.splice(0, count)) this.waitingBytes -= sizeOf(item)
  }

  /** The peer did what cannot be accepted: it is told, and all its work is dropped, so that no barrier is reached. */
  refuse(code: CloseCode, reason: string): void {
    if (this.isRefused) return
    this.isRefused = true
    this.work = []
    this.waitingBytes = 0
    this.peer.refuse(code, reason)
  }

  /** The peer is gone: only its updates still matter. */
  leave(): void {
    this.isGone = true
    this.stallReason = null
    this.room.wake()
  }

  private answerSync(doc: Y.Doc, stateVector: Uint8Array): void {
    let missing: Uint8Array
    try {
      checkStateVector(stateVector)
      missing = Y.encodeStateAsUpdate(doc, stateVector)
    } catch {
      this.refuse(CLOSE_CODES.malformed, 'not a state vector')
      return
    }
    this.wasAnswered = true
    // One at a time: a client that asks and does not read would have us hold its document many times over.
    this.isAnswering = true
    this.peer.sendAnswer(missing, () => {
      this.isAnswering = false
      this.room.wake()
    })
  }
}

/** Yjs reads a state vector from the beginning of any bytes. */
function checkStateVector(stateVector: Uint8Array): void {
  const decoder = decoding.createDecoder(stateVector)
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    decoding.readVarUint(decoder)
    decoding.readVarUint(decoder)
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes behind the end')
}

function isAnswerable(work: Work): work is Exclude<Work, { update: Uint8Array }> {
  return work.type === 'sync' || work.type === 'barrier'
}

function sizeOf(work: Work): number {
  if (!isAnswerable(work)) return WORK_OVERHEAD_BYTES + work.update.byteLength
  if (work.type === 'sync') return WORK_OVERHEAD_BYTES + work.stateVector.byteLength
  return WORK_OVERHEAD_BYTES
}
