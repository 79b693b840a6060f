import { setTimeout as delay } from 'node:timers/promises'
import * as Y from 'yjs'
import { serveCalls } from '../../bench/workers/serveCalls.js'
import { request } from './request.js'
import { isUpdateFrame, openClient, type RawClient, syncFrame } from './socket.js'

/** The greatest delays of a while, in milliseconds. */
export interface Delays {
  /** `/healthz` until it is answered. */
  readonly health: number
  /** An edit of one device until the other device of that user has it. */
  readonly edit: number
}

export interface ProbeOptions {
  readonly url: string
  readonly uid: string
  /** Tokens of the two devices; `null` on an open server. */
  readonly token: string | null
}

const PAUSE_MS = 20
const UPDATE = 2

let greatest: Delays = { health: 0, edit: 0 }
let began: { health: number; edit: number } = { health: 0, edit: 0 }
let isOn = false

function note(what: keyof Delays): void {
  greatest = { ...greatest, [what]: Math.max(greatest[what], performance.now() - began[what]) }
  began = { ...began, [what]: 0 }
}

async function repeat(what: keyof Delays, act: () => Promise<unknown>): Promise<void> {
  while (isOn) {
    began = { ...began, [what]: performance.now() }
    await act()
    note(what)
    await delay(PAUSE_MS)
  }
}

function updateOf(text: Y.Text, doc: Y.Doc): Uint8Array {
  const before = Y.encodeStateVector(doc)
  text.insert(text.length, 'x')
  return Y.encodeStateAsUpdate(doc, before)
}

let devices: readonly RawClient[] = []

/** Measures, in a process of its own, what other users of the server notice. */
const calls = {
  async start({ url, uid, token }: ProbeOptions): Promise<void> {
    const [writer, reader] = [await openClient(url, uid, token), await openClient(url, uid, token)]
    devices = [writer, reader]
    const doc = new Y.Doc()
    const text = doc.getText('probe')
    isOn = true
    const stop = (): void => {
      isOn = false
    }
    repeat('health', () => request(url, { method: 'GET', path: '/healthz' })).catch(stop)
    repeat('edit', () => {
      const arrived = reader.next(isUpdateFrame)
      writer.send(syncFrame(UPDATE, updateOf(text, doc)))
      return arrived
    }).catch(stop)
  },
  /** The greatest delays since the last call. What is still without an answer counts with the time it has waited. */
  async take(): Promise<Delays> {
    for (const what of ['health', 'edit'] as const) {
      if (began[what] > 0) {
        const waited = performance.now() - began[what]
        greatest = { ...greatest, [what]: Math.max(greatest[what], waited) }
      }
    }
    const taken = greatest
    greatest = { health: 0, edit: 0 }
    // A server that does not answer has to be told from one that was never asked.
    if (!isOn) throw new Error('the server closed the connections of the probe')
    return taken
  },
  async stop(): Promise<void> {
    isOn = false
    for (const device of devices) device.close()
  },
}

export type ProbeCalls = typeof calls

serveCalls(calls)
