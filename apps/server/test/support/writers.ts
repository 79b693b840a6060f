import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Serving } from './parley.js'

/** Somebody who writes as fast as the server takes it, or with rests, and remembers what the server said is safe. */
export interface Writer {
  readonly room: string
  /** The values it wrote, in order; the first `safe` of them were acknowledged. */
  readonly values: readonly string[]
  readonly safe: number
  /** The codes that its connections were closed with. */
  readonly closes: readonly number[]
  readonly connected: Promise<void>
  /** Connects to a server that is there again; what was not acknowledged is sent again. */
  reconnect: (serving: Serving) => Promise<void>
  stop: () => void
}

export interface WriterOptions {
  /** What its values begin with. */
  name: string
  /** How it finds out what is stored: by the acknowledgement of `parley.1`, or as a stock client does by a sync. */
  asks?: 'acknowledgement' | 'barrier'
  /** Characters in each value beyond its name. */
  padding?: number
  /** How long it rests before it writes again, in milliseconds: whoever never rests for seconds is refused by the limits. */
  restMs?: number
}

/** How many values it writes before it asks whether they are stored. */
const BURST = 5
const NOTHING = new Uint8Array([0])

/** Connects a {@link Writer} to a room. */
export function startWriter(
  serving: Serving,
  room: string,
  { name, asks = 'acknowledgement', padding = 0, restMs = 0 }: WriterOptions,
): Writer {
  const doc = new Y.Doc()
  const values: string[] = []
  const closes: number[] = []
  let safe = 0
  let socket: WebSocket

  const write = (): void => {
    for (let n = 0; n < BURST; n++) {
      const value = `${name}.${values.length}${'.'.repeat(padding)}`
      values.push(value)
      doc.getArray('values').push([value])
    }
    socket.send(asks === 'acknowledgement' ? message(112, 1) : message(0, 0, sized(NOTHING)))
  }
  const onMessage = (data: Buffer): void => {
    if (data[0] === 0 && data[1] === 0) {
      // What the server has and lacks: all that was sent and not stored goes again.
      socket.send(message(0, 1, sized(Y.encodeStateAsUpdate(doc, unsized(data.subarray(2))))))
      return
    }
    const answered = asks === 'acknowledgement' ? data[0] === 112 : data[0] === 0 && data[1] === 1
    if (!answered) return
    safe = values.length
    if (restMs === 0) write()
    else setTimeout(write, restMs)
  }
  const connect = async ({ room: addressOf }: Serving): Promise<void> => {
    const opened = new WebSocket(addressOf(room), asks === 'acknowledgement' ? ['parley.1'] : [])
    socket = opened
    opened.on('message', onMessage)
    opened.on('close', (code) => closes.push(code))
    await new Promise<void>((resolve, reject) => {
      opened.on('open', () => resolve())
      opened.on('error', reject)
    })
    write()
  }

  doc.on('update', (update: Uint8Array) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(message(0, 2, sized(update)))
  })
  const connected = connect(serving)
  return {
    room,
    values,
    closes,
    get safe() {
      return safe
    },
    connected,
    reconnect: connect,
    stop: () => socket.terminate(),
  }
}

/** Which of the values that writers were told are safe are not in the rooms. */
export async function lostOf(serving: Serving, writers: readonly Writer[]): Promise<string[]> {
  const lost: string[] = []
  for (const room of new Set(writers.map((writer) => writer.room))) {
    const kept = await readValues(serving, room)
    for (const writer of writers) {
      if (writer.room === room)
        lost.push(...writer.values.slice(0, writer.safe).filter((value) => !kept.has(value)))
    }
  }
  return lost
}

/** What a stock client sees of a room. */
export async function readValues(serving: Serving, room: string): Promise<Set<unknown>> {
  const { doc, close } = await connectReader(serving, room)
  const values = new Set<unknown>(doc.getArray('values').toArray())
  close()
  return values
}

export interface Reader {
  readonly doc: Y.Doc
  readonly provider: WebsocketProvider
  close: () => void
}

/** Connects a stock client and waits until it has the room. */
export async function connectReader(serving: Serving, room: string): Promise<Reader> {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${serving.url.replace('http', 'ws')}/sync`, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()))
  return {
    doc,
    provider,
    close() {
      provider.destroy()
      provider.awareness.destroy()
    },
  }
}

function message(...parts: Array<number | Uint8Array>): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))
}

/** Bytes behind their length, as lib0 writes it. */
function sized(bytes: Uint8Array): Uint8Array {
  const length: number[] = []
  for (let rest = bytes.byteLength; ; rest >>= 7) {
    if (rest < 128) return Buffer.concat([Buffer.from([...length, rest]), bytes])
    length.push((rest & 127) | 128)
  }
}

function unsized(bytes: Uint8Array): Uint8Array {
  let at = 0
  while ((bytes[at] ?? 0) >= 128) at++
  return bytes.subarray(at + 1)
}
