import { MESSAGE_TOKEN } from '@parley/core'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import {
  createMemoryLog,
  createServer,
  type LogStore,
  type Server,
  type ServerOptions,
} from '../../src/index.js'

export interface Running {
  server: Server
  store: LogStore
  /** `http://127.0.0.1:…` */
  url: string
  port: number
  /** The address of a room, `ws://127.0.0.1:…/sync/…`. */
  room: (uid: string) => string
}

/** Starts a server that is closed when the test ends. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<Running> {
  const store = options.store ?? createMemoryLog()
  const server = await createServer({
    auth: 'open',
    port: 0,
    ...options,
    timing: { drainMs: 0, ...options.timing },
    store,
  })
  const { url, port } = await server.listen()
  onTestFinished(() => server.close())
  return {
    server,
    store,
    url,
    port,
    room: (uid) => `${url.replace('http', 'ws')}/sync/${encodeURIComponent(uid)}`,
  }
}

export interface Closed {
  code: number
  reason: string
}

/** A bare WebSocket that remembers what it was told. */
export interface RawClient {
  socket: WebSocket
  frames: Uint8Array[]
  closed: Promise<Closed>
  send: (...bytes: Array<number | Uint8Array>) => void
  /** Waits for the first frame from now on, or already there, that passes. */
  frame: (passes: (frame: Uint8Array) => boolean) => Promise<Uint8Array>
}

export async function connectRaw(
  url: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<RawClient> {
  const socket = new WebSocket(
    url,
    options.protocols ?? [],
    options.headers ? { headers: options.headers } : {},
  )
  socket.binaryType = 'nodebuffer'
  const frames: Uint8Array[] = []
  const listeners = new Set<() => void>()
  socket.on('message', (data: Buffer) => {
    frames.push(new Uint8Array(data))
    for (const listener of listeners) listener()
  })
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  socket.on('error', () => {})
  onTestFinished(() => socket.terminate())
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  return {
    socket,
    frames,
    closed,
    send(...parts) {
      socket.send(Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part))))
    },
    frame(passes) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = frames.find(passes)
          if (!found) return
          listeners.delete(look)
          resolve(found)
        }
        listeners.add(look)
        look()
      })
    },
  }
}

export const isSyncAnswer = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === 1
/** What a server says of the token of a connection. */
export const isLifetime = (frame: Uint8Array): boolean => frame[0] === MESSAGE_TOKEN
export const isUpdate = (frame: Uint8Array): boolean => frame[0] === 0 && frame[1] === 2

/** The bytes of a sync message: type 0, step, length, payload. */
export function syncMessage(step: 0 | 1 | 2, payload: Uint8Array): Uint8Array {
  return new Uint8Array([0, step, ...varUint(payload.byteLength), ...payload])
}

export function varUint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 128)
  }
}

/** The stock provider of y-websocket, as an application uses it. */
export interface StockClient {
  doc: Y.Doc
  provider: WebsocketProvider
  /** How many times it opened a connection. */
  attempts: () => number
  closes: Closed[]
  synced: Promise<void>
}

export function connectStock(
  { url }: { url: string },
  uid: string,
  options: { doc?: Y.Doc; params?: Record<string, string>; protocols?: string[]; disableBc?: boolean } = {},
): StockClient {
  const doc = options.doc ?? new Y.Doc()
  let attempts = 0
  class CountingSocket extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols)
      attempts++
    }
  }
  const provider = new WebsocketProvider(`${url.replace('http', 'ws')}/sync`, encodeURIComponent(uid), doc, {
    WebSocketPolyfill: CountingSocket as unknown as typeof globalThis.WebSocket,
    // Clients of one process would find each other without the server.
    disableBc: options.disableBc ?? true,
    params: options.params ?? {},
    protocols: options.protocols ?? [],
    connect: false,
  })
  const closes: Closed[] = []
  provider.on('connection-close', (event) => {
    if (event) closes.push({ code: event.code, reason: event.reason })
  })
  const synced = new Promise<void>((resolve) => {
    provider.on('sync', (isSynced: boolean) => {
      if (isSynced) resolve()
    })
  })
  onTestFinished(() => {
    provider.destroy()
    provider.awareness.destroy()
    doc.destroy()
  })
  provider.connect()
  return { doc, provider, attempts: () => attempts, closes, synced }
}

/** Waits until something is so; fails the test with `what` when it never is. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`never came to be: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The document that is stored for a user. */
export async function storedDoc(store: LogStore, uid: string): Promise<Y.Doc> {
  const { snapshot, rows } = await store.load(uid)
  const doc = new Y.Doc()
  for (const row of [...(snapshot ? [snapshot] : []), ...rows]) Y.applyUpdate(doc, row.update)
  return doc
}

/** An update that appends to the text `t`. */
export function textUpdate(text: string, client?: number): Uint8Array {
  const doc = new Y.Doc()
  if (client !== undefined) doc.clientID = client
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
