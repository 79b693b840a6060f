import {
  CLOSE_CODES,
  type CloseCode,
  type DecodedUpdate,
  decodeUpdateInSteps,
  ParleyError,
  splitUpdate,
} from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import { encodeSyncAnswer } from '../connection/messages.js'
import type { Peer, Work } from './peer.js'
import { createSlices, runInSlices } from './slices.js'

/** One turn of a room stores up to this much of one connection as one entry. */
const MAX_RUN_BYTES = 64 * 1024
const MAX_RUN_COUNT = 256

/** A larger update may have more structs than one turn takes; the smallest have two bytes. */
const MAX_WHOLE_BYTES = 8 * 1024
/** A turn takes so much of a larger update. */
const PIECE = { maxStructs: 2048, maxBytes: 1024 * 1024 }

/** What an entry of a queue costs beside its bytes: a million empty ones are not free. */
const WORK_OVERHEAD_BYTES = 64

/** The answer to a peer that lacks nothing. */
const NOTHING_MISSING = encodeSyncAnswer(Uint8Array.of(0, 0))

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
  /** Updates that are large, and known to be small enough or pieces: each is taken by itself. */
  private readonly whole = new WeakSet<Work>()
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

  /** True if the update at the head may have too many structs for one turn. */
  get hasLargeHead(): boolean {
    const [first] = this.work
    if (this.stallReason !== null || !first || isAnswerable(first)) return false
    return first.update.byteLength > MAX_WHOLE_BYTES && !this.whole.has(first)
  }

  /** Puts pieces in the place of the update at the head, if it has many structs. What is no update stays, to be refused. */
  async splitHead(): Promise<void> {
    const [first] = this.work
    if (!first || isAnswerable(first)) return
    const pieces: Work[] = []
    try {
      const slices = createSlices()
      const decoded = await runInSlices(decodeUpdateInSteps(first.update), slices)
      if (countParts(decoded) > PIECE.maxStructs) {
        for (const update of splitUpdate(decoded, PIECE)) {
          pieces.push({ type: 'update', update })
          const paused = slices()
          if (paused) await paused
        }
      }
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error
    }
    const place = this.work.indexOf(first)
    // The connection may have been refused meanwhile.
    if (place < 0) return
    if (pieces.length <= 1) {
      this.whole.add(first)
      return
    }
    for (const piece of pieces) this.whole.add(piece)
    this.work.splice(place, 1, ...pieces)
    this.waitingBytes += pieces.reduce((sum, piece) => sum + sizeOf(piece), -sizeOf(first))
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

  /**
   * Takes the same requests that follow the one that is answered: nothing came between, so the peer lacks nothing once it has the
   * first answer. It may count the answers, and gets an empty one for each. One with another state vector asks for something else,
   * as a device that replaces its document does.
   */
  private takeRepeatedSyncs(stateVector: Uint8Array): number {
    let count = 0
    for (let next = this.work[0]; next?.type === 'sync'; next = this.work[count]) {
      if (Buffer.compare(next.stateVector, stateVector) !== 0) break
      count++
    }
    this.removeUpdates(count)
    return count
  }

  /** The updates at the head, at most as many as make one entry; `null` if there are none. */
  peekUpdates(): Updates | null {
    const [first] = this.work
    if (this.stallReason !== null || !first || isAnswerable(first)) return null
    const updates: [Uint8Array, ...Uint8Array[]] = [first.update]
    let size = first.update.byteLength
    if (this.whole.has(first)) return updates
    for (let next = 1; next < Math.min(this.work.length, MAX_RUN_COUNT); next++) {
      const item = this.work[next] as Work
      if (isAnswerable(item) || item.update.byteLength > MAX_WHOLE_BYTES || this.whole.has(item)) break
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
    const repeated = this.takeRepeatedSyncs(stateVector)
    this.wasAnswered = true
    // One at a time: a client that asks and does not read would have us hold its document many times over.
    this.isAnswering = true
    this.peer.sendAnswer(missing, () => {
      this.isAnswering = false
      this.room.wake()
    })
    for (let left = repeated; left > 0; left--) this.peer.send(NOTHING_MISSING)
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

/** How many structs and deleted ranges an update has. */
function countParts({ structs, deletions }: DecodedUpdate): number {
  let count = structs.length
  for (const ranges of deletions.values()) count += ranges.length
  return count
}
