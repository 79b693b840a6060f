import type { Duplex } from 'node:stream'
import { MESSAGE_TOKEN } from '@parley/core'
import type { RawData, WebSocket } from 'ws'
import { ServerError } from '../errors.js'
import { readMessage } from './messages.js'

/** A message as `ws` hands it over. */
export interface EarlyMessage {
  readonly data: RawData
  readonly isBinary: boolean
}

/** The token that a client sent as its first message. */
export interface FirstToken {
  readonly token: string
  /** What arrived behind it. The socket is paused. */
  readonly rest: EarlyMessage[]
}

export interface FirstMessageOptions {
  /** The longest token, in bytes. */
  readonly maxTokenBytes: number
  readonly timeoutMs: number
}

/** The type and the length of a message stand before the token; a frame's head is shorter than this. */
const OVERHEAD_BYTES = 64

/**
 * Waits for a token as the first message of a WebSocket whose request had none, and reads nothing else of it. Resolves to `null`
 * if the client sends something else, too much, or nothing in time, or is gone. It never rejects.
 */
export function readFirstToken(
  socket: WebSocket,
  stream: Duplex,
  { maxTokenBytes, timeoutMs }: FirstMessageOptions,
): Promise<FirstToken | null> {
  return new Promise((resolve) => {
    const rest: EarlyMessage[] = []
    let isDecided = false
    let receivedBytes = 0
    const decide = (token: string | null): void => {
      if (isDecided) return
      isDecided = true
      clearTimeout(deadline)
      stream.off('data', count)
      socket.off('close', onClose)
      if (token === null) {
        socket.off('message', onMessage)
        resolve(null)
        return
      }
      socket.pause()
      resolve({ token, rest })
    }
    const onClose = (): void => decide(null)
    /** A frame of the size of a document is not collected for a stranger. */
    const count = (chunk: Buffer): void => {
      receivedBytes += chunk.byteLength
      if (receivedBytes > maxTokenBytes + OVERHEAD_BYTES + stream.readableHighWaterMark) decide(null)
    }
    const onMessage = (data: RawData, isBinary: boolean): void => {
      if (isDecided) rest.push({ data, isBinary })
      else decide(isBinary ? tokenOf(data, maxTokenBytes) : null)
    }
    const deadline = setTimeout(() => decide(null), timeoutMs).unref()
    stream.prependListener('data', count)
    socket.on('close', onClose)
    socket.on('message', onMessage)
  })
}

function tokenOf(data: RawData, maxTokenBytes: number): string | null {
  const frame = new Uint8Array(data as Buffer)
  if (frame[0] !== MESSAGE_TOKEN || frame.byteLength > maxTokenBytes + OVERHEAD_BYTES) return null
  try {
    const message = readMessage(frame)
    return message.type === 'token' ? message.token : null
  } catch (error) {
    if (error instanceof ServerError) return null
    throw error
  }
}
