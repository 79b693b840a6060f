import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { newFolder, type Serving, serve } from './support/parley.js'

const KILLS = 25
/** Each round ends at a random moment within this time after its writers were connected. */
const ROUND_MS = 250
const ROOMS = ['alice', 'bob', 'carol']

/** Somebody who writes as fast as the server takes it, and remembers what the server said is safe. */
interface Writer {
  room: string
  /** The values it wrote, in order; the first `safe` of them were acknowledged. */
  values: string[]
  safe: number
  connected: Promise<void>
  stop: () => void
}

const message = (...parts: Array<number | Uint8Array>): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))

/** Asks after each burst whether it is stored: by the acknowledgement of parley.1, or as a stock client does by a sync. */
function startWriter(
  serving: Serving,
  room: string,
  name: string,
  kind: 'acknowledgement' | 'barrier',
): Writer {
  const socket = new WebSocket(serving.room(room), kind === 'acknowledgement' ? ['parley.1'] : [])
  const doc = new Y.Doc()
  const writer: Writer = {
    room,
    values: [],
    safe: 0,
    connected: opened(socket),
    stop: () => socket.terminate(),
  }
  doc.on('update', (update: Uint8Array) => {
    const length = update.byteLength
    const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7]
    socket.send(message(0, 2, ...size, update))
  })
  const write = (): void => {
    for (let n = 0; n < 5; n++) {
      const value = `${name}.${writer.values.length}`
      writer.values.push(value)
      doc.getArray('values').push([value])
    }
    socket.send(kind === 'acknowledgement' ? message(112, 1) : message(0, 0, 1, 0))
  }
  socket.on('open', write)
  socket.on('message', (data: Buffer) => {
    const answered = kind === 'acknowledgement' ? data[0] === 112 : data[0] === 0 && data[1] === 1
    if (!answered) return
    writer.safe = writer.values.length
    write()
  })
  socket.on('error', () => {})
  return writer
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve())
    socket.on('error', reject)
  })
}

async function read(serving: Serving, room: string): Promise<Set<unknown>> {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${serving.url.replace('http', 'ws')}/sync`, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()))
  const values = new Set<unknown>(doc.getArray('values').toArray())
  provider.destroy()
  provider.awareness.destroy()
  return values
}

describe('durability', () => {
  it(`[D1] keeps all that was acknowledged, over ${KILLS} SIGKILLs under load`, {
    timeout: 180_000,
  }, async () => {
    const data = await newFolder()
    const written: Writer[] = []
    let killedInFlight = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const serving = await serve(data)
      const writers = ROOMS.flatMap((room) => [
        startWriter(serving, room, `${kill}.${room}.a`, 'acknowledgement'),
        startWriter(serving, room, `${kill}.${room}.b`, 'barrier'),
      ])
      await Promise.all(writers.map(({ connected }) => connected))
      await new Promise((resolve) => setTimeout(resolve, Math.random() * ROUND_MS))
      await serving.stop('SIGKILL')
      for (const { stop } of writers) stop()
      if (writers.some(({ safe, values }) => safe > 0 && safe < values.length)) killedInFlight++
      written.push(...writers)
    }
    const serving = await serve(data)
    for (const room of ROOMS) {
      const kept = await read(serving, room)
      const acknowledged = written
        .filter((writer) => writer.room === room)
        .flatMap(({ values, safe }) => values.slice(0, safe))
      expect(acknowledged.filter((value) => !kept.has(value))).toEqual([])
    }
    // Or the test would have shown nothing.
    expect(killedInFlight).toBeGreaterThan(KILLS / 2)
    expect(written.reduce((sum, { safe }) => sum + safe, 0)).toBeGreaterThan(KILLS * 20)
  })

  it('[D2] stores what it has received and closes with 1012 when it is told to stop, and exits with 0', {
    timeout: 20_000,
  }, async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const data = await newFolder()
      const serving = await serve(data)
      const writers = ROOMS.map((room) => startWriter(serving, room, room, 'acknowledgement'))
      await Promise.all(writers.map(({ connected }) => connected))
      const stock = new WebsocketProvider(`${serving.url.replace('http', 'ws')}/sync`, 'dave', new Y.Doc(), {
        WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
        disableBc: true,
      })
      await new Promise<void>((resolve) => stock.on('sync', () => resolve()))
      const closed = new Promise<number | undefined>((resolve) =>
        stock.on('connection-close', (event) => resolve(event?.code)),
      )
      stock.doc.getArray('values').push(['just before'])
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await serving.stop(signal)).toBe(0)
      expect(await closed).toBe(1012)
      stock.destroy()
      stock.awareness.destroy()
      const again = await serve(data)
      expect(await read(again, 'dave')).toEqual(new Set(['just before']))
      for (const { room, values, safe } of writers) {
        const kept = await read(again, room)
        expect(values.slice(0, safe).filter((value) => !kept.has(value))).toEqual([])
      }
      await again.stop('SIGKILL')
    }
  })
})
