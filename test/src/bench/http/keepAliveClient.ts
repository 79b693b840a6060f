import { connect } from 'node:net'

/** A connection that sends one request after the other. */
export interface KeepAliveClient {
  /**
   * Sends a request and reads the answer, which must be 200 and say how long it is.
   *
   * @returns the bytes of the answer's body
   */
  ask: (request: Uint8Array) => Promise<number>
  close: () => void
}

/** One read takes so much. */
const READ_BYTES = 256 * 1024
/** An answer's head is shorter than this. */
const MAX_HEAD_BYTES = 2048
const HEAD_END = '\r\n\r\n'

/** The bytes of a request with a JSON body. */
export function postRequest({ host }: URL, path: string, body: string): Uint8Array {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}${HEAD_END}${body}`)
}

/**
 * Opens a {@link KeepAliveClient}. It reads no more of an answer than it must: on two cores a generator that costs as much as
 * the server it measures would set the rate, not the server.
 */
export async function openClient({ hostname, port }: URL): Promise<KeepAliveClient> {
  let waiting: { resolve: (bytes: number) => void; reject: (error: Error) => void } | null = null
  let left = 0
  let length = -1
  const fail = (error: Error): void => waiting?.reject(error)
  const read = (bytes: number, buffer: Buffer): boolean => {
    let rest = bytes
    if (length < 0) {
      const text = buffer.toString('latin1', 0, Math.min(bytes, MAX_HEAD_BYTES))
      const end = text.indexOf(HEAD_END)
      const given = /^content-length: (\d+)/im.exec(text)?.[1]
      if (!text.startsWith('HTTP/1.1 200 ') || end < 0 || given === undefined) {
        fail(new Error(`Not the answer that was expected: ${text}`))
        return false
      }
      length = Number(given)
      left = length
      rest -= end + HEAD_END.length
    }
    left -= rest
    if (left === 0) {
      const { resolve } = waiting ?? {}
      const received = length
      length = -1
      resolve?.(received)
    }
    return true
  }
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (bytes, buffer) => read(bytes, buffer as Buffer),
    },
  })
  socket.once('error', fail)
  socket.once('close', () => fail(new Error('The server closed the connection')))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    close() {
      waiting = null
      socket.destroy()
    },
  }
}
