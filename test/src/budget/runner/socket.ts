import { once } from 'node:events'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'

/** A client of the server's WebSocket protocol that sends what it is given. */
export interface RawClient {
  send: (frame: Uint8Array) => void
  /** Resolves with the next message that fits. */
  next: (fits: (frame: Uint8Array) => boolean) => Promise<Uint8Array>
  /** The code the connection is closed with. */
  readonly closed: Promise<number>
  /** Bytes of the messages that have arrived. */
  readonly received: number
  close: () => void
}

const SYNC = 0
const STEP_1 = 0
const STEP_2 = 1
const UPDATE = 2
const ACKNOWLEDGE = 112
/** An empty state vector, and an update that holds nothing. */
const NO_STATE = Uint8Array.of(0)
const NO_UPDATE = Uint8Array.of(0, 0)

/** Connects to a user's room and completes the first sync. */
export async function openClient(url: string, uid: string, token: string | null): Promise<RawClient> {
  const address = `${url.replace('http', 'ws')}/sync/${encodeURIComponent(uid)}`
  const socket = new WebSocket(address, token === null ? ['parley.1'] : ['parley.1', `parley.token.${token}`])
  const waiting = new Set<{ fits: (frame: Uint8Array) => boolean; take: (frame: Uint8Array) => void }>()
  let received = 0
  socket.on('error', () => {})
  socket.on('message', (data: Buffer) => {
    received += data.byteLength
    const frame = new Uint8Array(data)
    for (const waiter of waiting) {
      if (!waiter.fits(frame)) continue
      waiting.delete(waiter)
      waiter.take(frame)
      return
    }
  })
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)))
  const client: RawClient = {
    send: (frame) => socket.send(frame),
    next: (fits) =>
      new Promise((resolve, reject) => {
        waiting.add({ fits, take: resolve })
        void closed.then((code) => reject(new Error(`closed with ${code}`)))
      }),
    closed,
    get received() {
      return received
    },
    close: () => socket.terminate(),
  }
  await Promise.race([
    once(socket, 'open'),
    closed.then((code) => {
      throw new Error(`closed with ${code} instead of opened`)
    }),
  ])
  const synced = client.next((frame) => frame[0] === SYNC && frame[1] === STEP_2)
  client.send(syncFrame(STEP_2, NO_UPDATE))
  client.send(syncFrame(STEP_1, NO_STATE))
  await synced
  return client
}

/** A sync message: step 0 asks with a state vector, 1 answers and 2 sends an update. */
export function syncFrame(step: 0 | 1 | 2, payload: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, SYNC)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, payload)
  return encoding.toUint8Array(encoder)
}

/** Asks for an acknowledgement; the answer begins with the same two numbers. */
export function acknowledgeFrame(requestId: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, ACKNOWLEDGE)
  encoding.writeVarUint(encoder, requestId)
  return encoding.toUint8Array(encoder)
}

/** True for the answer to {@link acknowledgeFrame}. */
export function isAcknowledged(frame: Uint8Array, requestId: number): boolean {
  if (frame[0] !== ACKNOWLEDGE) return false
  const decoder = decoding.createDecoder(frame)
  decoding.readVarUint(decoder)
  return decoding.readVarUint(decoder) === requestId
}

/** True for an update that another device made. */
export function isUpdateFrame(frame: Uint8Array): boolean {
  return frame[0] === SYNC && frame[1] === UPDATE
}
