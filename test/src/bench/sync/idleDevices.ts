import type { WebSocket } from 'ws'
import { delay } from '../delay.js'
import { serveCalls } from '../workers/serveCalls.js'
import { connectDevice } from './connectDevice.js'
import { type Greeting, greetingOf } from './frames.js'

/** Devices that connect and then say nothing, each of another user. */
export interface IdleDevices {
  /** Such as `ws://127.0.0.1:4300/sync/user-`; the user's number follows. */
  readonly url: string
  readonly users: number
  /** The document that each of them has. */
  readonly state: Uint8Array
  /** True if the server does not have it yet. */
  readonly brings: boolean
  /** So many connect at the same time. */
  readonly atOnce: number
}

/** Who could not connect tries again after so long, as clients do, but not for ever. */
const RETRY_MS = 500
const MAX_ATTEMPTS = 60

let sockets: WebSocket[] = []

async function connectInTheEnd(url: string, greeting: Greeting): Promise<WebSocket> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectDevice(url, greeting)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS) throw error
      await delay(RETRY_MS)
    }
  }
}

const calls = {
  /** @returns how long it took until all were in sync, in milliseconds */
  async connect({ url, users, state, brings, atOnce }: IdleDevices): Promise<number> {
    const greeting = greetingOf(state, brings)
    const start = performance.now()
    let next = 0
    const connectNext = async (): Promise<void> => {
      while (next < users) sockets.push(await connectInTheEnd(`${url}${next++}`, greeting))
    }
    await Promise.all(Array.from({ length: atOnce }, connectNext))
    return performance.now() - start
  },
  /** Cuts all connections, as when a network goes. */
  cut(): void {
    for (const socket of sockets) socket.removeAllListeners('close').terminate()
    sockets = []
  },
}

export type IdleDevicesCalls = typeof calls

serveCalls(calls)
