import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LineOptions {
  /** How fast the line is towards the client and towards the server, in bytes a second. */
  readonly down?: number
  readonly up?: number
  /** The line breaks each time after so many milliseconds. */
  readonly breakEveryMs?: number
  /** Removes the subprotocol from the request, the answer, or both, as some proxies do. */
  readonly strip?: { readonly request?: boolean; readonly answer?: boolean }
}

/** So often a throttled line passes on what it may. */
const STEP_MS = 50

/** A proxy on loopback that is a bad line. */
export async function startLine(targetPort: number, options: LineOptions) {
  const sockets = new Set<Socket>()
  let breaks = 0
  let downBytes = 0
  let upBytes = 0
  let connections = 0
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    connections++
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    const noteDown = (bytes: number): void => {
      downBytes += bytes
    }
    const noteUp = (bytes: number): void => {
      upBytes += bytes
    }
    carry(client, target, options.up, options.strip?.request === true, noteUp)
    carry(target, client, options.down, options.strip?.answer === true, noteDown)
    if (options.breakEveryMs !== undefined) {
      const timer = setTimeout(() => {
        breaks++
        client.destroy()
      }, options.breakEveryMs)
      client.on('close', () => clearTimeout(timer))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/sync`,
    /** How often the line broke. */
    breaks: () => breaks,
    /** How many bytes reached clients. */
    downBytes: () => downBytes,
    /** How many bytes reached the server. */
    upBytes: () => upBytes,
    connections: () => connections,
    stop() {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function carry(
  from: Socket,
  to: Socket,
  bytesPerSecond = Number.POSITIVE_INFINITY,
  strips: boolean,
  note: (bytes: number) => void,
): void {
  let head = strips ? '' : null
  const write = (chunk: Buffer): void => {
    note(chunk.byteLength)
    if (!to.destroyed) to.write(chunk)
  }
  const pass = (chunk: Buffer): void => {
    if (head === null) {
      write(chunk)
      return
    }
    head += chunk.toString('latin1')
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const kept = head
      .slice(0, end)
      .split('\r\n')
      .filter((line) => !/^sec-websocket-protocol:/i.test(line))
      .join('\r\n')
    const rest = head.slice(end)
    head = null
    write(Buffer.from(kept + rest, 'latin1'))
  }
  if (bytesPerSecond === Number.POSITIVE_INFINITY) {
    from.on('data', pass)
    return
  }
  // Read no faster than it is passed on, so that the sender notices.
  let waiting: Buffer[] = []
  let size = 0
  from.on('data', (chunk: Buffer) => {
    waiting.push(chunk)
    size += chunk.byteLength
    if (size > 16_384) from.pause()
  })
  const timer = setInterval(() => {
    const all = Buffer.concat(waiting)
    const step = Math.max(1, Math.floor((bytesPerSecond * STEP_MS) / 1000))
    if (all.byteLength > 0) pass(all.subarray(0, step))
    const rest = all.subarray(step)
    waiting = rest.byteLength > 0 ? [rest] : []
    size = rest.byteLength
    if (size < 16_384) from.resume()
  }, STEP_MS)
  to.on('close', () => clearInterval(timer))
}
