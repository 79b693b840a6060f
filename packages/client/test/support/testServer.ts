import type { AddressInfo } from 'node:net'
import { encodeAcknowledgement, MESSAGE_ACKNOWLEDGE, readAcknowledgeRequest, SUBPROTOCOL } from '@parley/core'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type WebSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'

export interface TestServerOptions {
  /** A stock server selects no subprotocol and answers no acknowledgement. */
  readonly stock?: boolean
  /** Returns the code to close a new connection with, or `null` to let it in. */
  readonly admit?: (protocols: readonly string[]) => number | null
  readonly port?: number
  /** Keeps the server's first message back until `greet` is called. */
  readonly isShy?: boolean
}

/** A y-websocket server as small as tests need, whose every answer can be held back. */
export async function startTestServer(options: TestServerOptions = {}) {
  const rooms = new Map<string, Y.Doc>()
  const log: string[] = []
  /** The bytes of the updates received, SyncStep2 included. */
  const updates: Uint8Array[] = []
  const held: Array<() => void> = []
  const greetings: Array<() => void> = []
  let holdAnswers = false
  const sockets = new WebSocketServer({
    host: '127.0.0.1',
    port: options.port ?? 0,
    ...(options.stock
      ? { handleProtocols: () => false as const }
      : { handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false) }),
  })
  await new Promise((resolve) => sockets.once('listening', resolve))
  const { port } = sockets.address() as AddressInfo

  const room = (name: string): Y.Doc => {
    const known = rooms.get(name)
    if (known) return known
    const doc = new Y.Doc()
    rooms.set(name, doc)
    return doc
  }
  const answer = (socket: WebSocket, bytes: Uint8Array): void => {
    const send = () => socket.send(bytes)
    if (holdAnswers) held.push(send)
    else send()
  }
  const sync = (type: number, content: Uint8Array): Uint8Array => {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, type)
    encoding.writeVarUint8Array(encoder, content)
    return encoding.toUint8Array(encoder)
  }

  sockets.on('connection', (socket, request) => {
    const name = (request.url ?? '').split('/').at(-1) ?? ''
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((text) => text.trim())
    log.push(`open ${name} ${protocols.join(' ')}`)
    const code = options.admit?.(protocols) ?? null
    if (code !== null) return socket.close(code, 'as told')
    const doc = room(name)
    socket.on('message', (data: Buffer) => {
      const decoder = decoding.createDecoder(new Uint8Array(data))
      const type = decoding.readVarUint(decoder)
      if (type === MESSAGE_ACKNOWLEDGE) {
        const token = readAcknowledgeRequest(decoder)
        log.push(`ask ${token}`)
        return answer(socket, encodeAcknowledgement({ token, epoch: 0, version: updates.length }))
      }
      if (type !== 0) return log.push(`message ${type}`)
      const step = decoding.readVarUint(decoder)
      const content = decoding.readVarUint8Array(decoder)
      log.push(`sync ${step}`)
      if (step === 0) return answer(socket, sync(1, Y.encodeStateAsUpdate(doc, content)))
      updates.push(content)
      Y.applyUpdate(doc, content)
      for (const other of sockets.clients) if (other !== socket) other.send(sync(2, content))
    })
    const greet = () => socket.send(sync(0, Y.encodeStateVector(doc)))
    if (options.isShy) greetings.push(greet)
    else greet()
  })

  return {
    url: `ws://127.0.0.1:${port}/sync`,
    port,
    log,
    updates,
    room,
    sockets,
    /** Holds back the answers to SyncStep1 and to acknowledgement requests until released. */
    hold() {
      holdAnswers = true
    },
    release() {
      holdAnswers = false
      for (const send of held.splice(0)) send()
    },
    /** Sends the first message on connections that wait for it. */
    greet() {
      for (const send of greetings.splice(0)) send()
    },
    /** Sends the oldest answer that is held back. */
    releaseOne: () => held.shift()?.(),
    /** How many answers are held back. */
    get heldCount() {
      return held.length
    },
    /** Sends a message of the sync protocol to every client. */
    broadcast(type: number, content: Uint8Array) {
      for (const socket of sockets.clients) socket.send(sync(type, content))
    },
    closeAll(code: number) {
      for (const socket of sockets.clients) socket.close(code, 'as told')
    },
    stop() {
      for (const socket of sockets.clients) socket.terminate()
      return new Promise<void>((resolve) => sockets.close(() => resolve()))
    },
  }
}

export type TestServer = Awaited<ReturnType<typeof startTestServer>>
