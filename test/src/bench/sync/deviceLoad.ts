import type { WebSocket } from 'ws'
import { delay } from '../delay.js'
import { quantile } from '../measure.js'
import { serveCalls } from '../workers/serveCalls.js'
import { connect, connectDevice } from './connectDevice.js'
import { kindOf, readingOn } from './frames.js'

/** Users with two devices each, one that does things and one that hears of them. */
export interface Devices {
  /** Such as `ws://127.0.0.1:4300/sync/user-`; the user's number follows. */
  readonly url: string
  readonly users: number
  /** True for an echo server: who sends gets it back. */
  readonly echoes: boolean
}

export interface StepOptions {
  /** Edits a second, of all users together. */
  readonly rate: number
  /** Before it counts. */
  readonly settleMs: number
  readonly measureMs: number
}

export interface StepResult {
  /** From when an edit was due to its arrival at the other device, in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Edits that were due and had not arrived when nothing came any more. */
  readonly lost: number
}

interface User {
  readonly sender: WebSocket
  readonly receiver: WebSocket
  /** How many edits were sent, and arrived. */
  sent: number
  arrived: number
  /** When those that are under way were due. */
  due: number[]
}

/** More than a whole run sends of one user. */
const EDITS = 20_000
const CONNECTED_AT_ONCE = 100
const TICK_MS = 1
/** How long what is under way may take when a step is over. */
const DRAIN_MS = 20_000

const edits = readingOn(EDITS)
let users: User[] = []
/** Why connections were closed that should not have been. */
const closed = new Set<string>()
let onArrival = (_latency: number): void => {}

function arrive(user: User, frame: Uint8Array): void {
  const expected = edits.frames[user.arrived]
  const place = frame.byteLength === expected?.byteLength ? user.arrived : edits.placeOf(frame)
  const now = performance.now()
  for (; user.arrived <= place; user.arrived++) onArrival(now - (user.due.shift() ?? now))
}

async function connectUser({ url, echoes }: Devices, name: number): Promise<User> {
  const address = `${url}${name}`
  const sender = await (echoes ? connect(address) : connectDevice(address))
  const receiver = echoes ? sender : await connectDevice(address)
  const user: User = { sender, receiver, sent: 0, arrived: 0, due: [] }
  for (const socket of [sender, receiver]) {
    socket.on('close', (code, reason) => closed.add(`${code} ${reason}`))
  }
  receiver.on('message', (frame: Buffer) => {
    if (kindOf(frame) === 'updates') arrive(user, frame)
  })
  return user
}

const calls = {
  async connect(devices: Devices): Promise<void> {
    for (let first = 0; first < devices.users; first += CONNECTED_AT_ONCE) {
      const count = Math.min(CONNECTED_AT_ONCE, devices.users - first)
      users.push(
        ...(await Promise.all(
          Array.from({ length: count }, (_, index) => connectUser(devices, first + index)),
        )),
      )
    }
  },
  /** Sends edits at a steady rate, whether or not those before have arrived. */
  async step({ rate, settleMs, measureMs }: StepOptions): Promise<StepResult> {
    const latencies: number[] = []
    const start = performance.now()
    const measureFrom = start + settleMs
    const end = measureFrom + measureMs
    let count = 0
    onArrival = () => {}
    await new Promise<void>((resolve) => {
      const tick = (): void => {
        const now = Math.min(performance.now(), end)
        for (let due = start + (count * 1000) / rate; due <= now; due = start + (++count * 1000) / rate) {
          const user = users[count % users.length] as User
          user.due.push(due)
          user.sender.send(edits.frames[user.sent++] as Uint8Array)
        }
        if (now < end) setTimeout(tick, TICK_MS)
        else resolve()
      }
      onArrival = (latency) => {
        if (performance.now() - latency < measureFrom) return
        latencies.push(latency)
      }
      tick()
    })
    const drainedBy = performance.now() + DRAIN_MS
    while (performance.now() < drainedBy && users.some(({ due }) => due.length > 0)) await delay(10)
    if (closed.size > 0) throw new Error(`The server closed connections: ${[...closed].join(', ')}`)
    const lost = users.reduce((sum, { due }) => sum + due.length, 0)
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), lost }
  },
  close(): void {
    for (const { sender, receiver } of users) {
      sender.removeAllListeners('close').close()
      receiver.removeAllListeners('close').close()
    }
    users = []
  },
}

export type DeviceLoadCalls = typeof calls

serveCalls(calls)
