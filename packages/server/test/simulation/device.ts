import {
  CLOSE_CODES,
  createStore,
  encodeAcknowledgeRequest,
  encodeDigestClaim,
  MESSAGE_DIGEST,
  onUpdate,
  readDigestAnswer,
  type Store,
} from '@parley/core'
import type { Random } from '@parley/core/testing'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import { encodeSyncAnswer, encodeSyncRequest, encodeUpdate } from '../../src/connection/messages.js'
import type { SimulatedNode, Wire } from './node.js'
import type { Truth } from './truth.js'

/** A user's device: a document, and a connection to some node that speaks y-websocket's protocol and bears no gap. */
export interface Device {
  readonly store: Store
  readonly isConnected: boolean
  /** True if all that was written here was acknowledged. */
  readonly isSettled: boolean
  connect: (node: SimulatedNode) => void
  disconnect: () => void
  /** Asks whether all so far is durable. */
  ask: () => void
  /** Begins a new session with the document as it is, under another client id. */
  reopen: () => void
}

export interface DeviceOptions {
  user: string
  name: string
  truth: Truth
  random: Random
  /** What must never happen, has. */
  violated: (what: string) => void
}

const MESSAGE_SYNC = 0
const MESSAGE_ACKNOWLEDGE = 112
const SYNC_STEP_1 = 0
const SYNC_STEP_2 = 1

interface Session {
  readonly wire: Wire
  synced: boolean
  /** True when the server was told what it lacks: only then is all that is here on its way. */
  answered: boolean
  acknowledged: number
  asked: Map<number, { what: Y.Snapshot; edits: number }>
}

/** Creates a {@link Device} that knows nothing yet. */
export function createDevice({ user, name, truth, random, violated }: DeviceOptions): Device {
  let session: Session | null = null
  let token = 0
  let edits = 0
  let safeEdits = 0

  const open = (state: Uint8Array | null): Store => {
    const doc = new Y.Doc()
    // Where clients insert at the same place their ids decide: they are part of the history.
    doc.clientID = random.int(2 ** 32)
    if (state) Y.applyUpdate(doc, state)
    const opened = createStore({ userId: user, doc, deviceName: name })
    onUpdate(doc, ({ update, local }) => {
      if (!local) return
      edits++
      session?.wire.send(asFrame(encodeUpdate(update)))
    })
    return opened
  }
  let store = open(null)

  const take = (update: Uint8Array, what: string): void => {
    try {
      if (store.applyUpdate(update, 'server') === 'held') violated(`${name}: ${what} with a gap`)
    } catch (error) {
      violated(`${name}: ${what} that cannot be applied: ${String(error)}`)
    }
  }
  const onSync = (decoder: decoding.Decoder, at: Session): void => {
    const step = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    if (step === SYNC_STEP_1) {
      at.answered = true
      at.wire.send(asFrame(encodeSyncAnswer(Y.encodeStateAsUpdate(store.doc, payload))))
    } else if (step === SYNC_STEP_2) {
      at.synced = true
      take(payload, 'an answer')
    } else {
      if (!at.synced) violated(`${name}: an update before the answer`)
      take(payload, 'an update')
    }
  }
  /** All that is here was acknowledged, and nothing else is stored as of that version: to differ is a false alarm. */
  const compare = (at: Session, acknowledgedEdits: number): void => {
    const digest = store.digest.step(Number.POSITIVE_INFINITY)
    if (!digest || acknowledgedEdits < edits || !at.synced || !at.answered) return
    const version = at.acknowledged
    at.wire.send(asFrame(encodeDigestClaim({ id: ++token, epoch: 0, version, lost: 0, digest })))
  }
  const onCompared = (decoder: decoding.Decoder): void => {
    const answer = readDigestAnswer(decoder)
    if (answer.type === 'position') return
    const { outcome } = answer
    if (outcome === 'diverged' || outcome === 'incomplete') violated(`${name}: a false alarm: ${outcome}`)
  }
  const onAcknowledged = (decoder: decoding.Decoder, at: Session): void => {
    const answered = decoding.readVarUint(decoder)
    decoding.readVarUint(decoder)
    const version = decoding.readVarUint(decoder)
    const asked = at.asked.get(answered)
    at.asked.delete(answered)
    if (!asked) {
      violated(`${name}: an acknowledgement of nothing`)
      return
    }
    safeEdits = Math.max(safeEdits, asked.edits)
    if (version < at.acknowledged) violated(`${name}: version ${version} after ${at.acknowledged}`)
    if (version > truth.head(user)) violated(`${name}: version ${version}, and the log ends before`)
    at.acknowledged = version
    compare(at, asked.edits)
    try {
      truth.demandHolds(user, asked.what)
    } catch (error) {
      violated(`${name}: acknowledged too early: ${String(error)}`)
    }
  }

  return {
    get store() {
      return store
    },
    get isConnected() {
      return session !== null
    },
    get isSettled() {
      return safeEdits >= edits && session?.synced === true
    },
    connect(node) {
      if (session) return
      const mine: Session = {
        synced: false,
        answered: false,
        acknowledged: 0,
        asked: new Map(),
        wire: node.connect(user, {
          onMessage(frame) {
            if (session !== mine) return
            const decoder = decoding.createDecoder(frame)
            const type = decoding.readVarUint(decoder)
            if (type === MESSAGE_SYNC) onSync(decoder, mine)
            else if (type === MESSAGE_DIGEST) onCompared(decoder)
            else if (type === MESSAGE_ACKNOWLEDGE) onAcknowledged(decoder, mine)
          },
          onClose(code, reason) {
            if (session !== mine) return
            session = null
            if (code !== CLOSE_CODES.storeUnavailable && code !== CLOSE_CODES.serviceRestart)
              violated(`${name}: closed with ${code}: ${reason}`)
          },
        }),
      }
      session = mine
      mine.wire.send(asFrame(encodeSyncRequest(Y.encodeStateVector(store.doc))))
    },
    disconnect() {
      session?.wire.cut()
      session = null
    },
    ask() {
      if (!session?.answered) return
      session.asked.set(++token, { what: Y.snapshot(store.doc), edits })
      session.wire.send(asFrame(encodeAcknowledgeRequest(token)))
    },
    reopen() {
      session?.wire.cut()
      session = null
      const state = Y.encodeStateAsUpdate(store.doc)
      store.close()
      store.doc.destroy()
      store = open(state)
    },
  }
}

function asFrame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(message)
}
