import { setTimeout as delay } from 'node:timers/promises'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'

/** How long a server may take to refuse a message. */
const REFUSED_MS = 2_000
/** Types are small numbers; those in use are below this. */
const TYPE_COUNT = 128
const AT_ONCE = 16

/**
 * The message types that a server knows, each as the bytes that a message begins with: those of all that it does not refuse
 * as unknown when a message holds nothing else.
 */
export async function listMessageTypes(room: string): Promise<number[][]> {
  const types = Array.from({ length: TYPE_COUNT }, (_, type) => type)
  const known = await filterKnown(
    room,
    types.map((type) => [type]),
  )
  const steps = known.some(([type]) => type === 0) ? types.map((step) => [0, step]) : []
  return [...known.filter(([type]) => type !== 0), ...(await filterKnown(room, steps))]
}

async function filterKnown(room: string, heads: readonly number[][]): Promise<number[][]> {
  const found: number[][] = []
  for (let start = 0; start < heads.length; start += AT_ONCE) {
    const some = heads.slice(start, start + AT_ONCE)
    const known = await Promise.all(some.map((head) => isKnown(room, head)))
    found.push(...some.filter((_, index) => known[index]))
  }
  return found
}

async function isKnown(room: string, head: readonly number[]): Promise<boolean> {
  const socket = new WebSocket(room, ['parley.1'])
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => {})
    socket.on('close', (_code, reason) => resolve(reason.toString()))
  })
  await new Promise((resolve) => socket.on('open', resolve))
  const encoder = encoding.createEncoder()
  for (const part of head) encoding.writeVarUint(encoder, part)
  socket.send(encoding.toUint8Array(encoder))
  // What asks for nothing else, such as the request for awareness, is not answered at all.
  const reason = await Promise.race([closed, delay(REFUSED_MS, '', { ref: false })])
  socket.terminate()
  return !reason.startsWith('unknown ')
}
