import { connect } from 'node:net'

/** What came back on a bare TCP connection. */
export interface RawAnswer {
  status: number
  headers: Map<string, string>
  body: Buffer
}

/** Sends a request byte for byte: no client library adds or mends a header. Resolves when `enough` of the answer is there. */
export async function rawRequest(
  port: number,
  lines: string[],
  body = '',
  enough: (answer: RawAnswer) => boolean = isComplete,
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  try {
    return await new Promise<RawAnswer>((resolve, reject) => {
      let received = Buffer.alloc(0)
      const look = (): void => {
        const answer = parse(received)
        if (answer && enough(answer)) resolve(answer)
      }
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk])
        look()
      })
      socket.on('error', reject)
      socket.on('close', () =>
        reject(new Error(`the connection ended after ${JSON.stringify(received.toString('latin1'))}`)),
      )
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
    })
  } finally {
    socket.destroy()
  }
}

/** Upgrades to a WebSocket and waits for its first frame. */
export async function rawUpgrade(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; protocol: string | undefined; close?: { code: number; reason: string } }> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  const {
    status,
    headers: answered,
    body,
  } = await rawRequest(port, lines, '', (answer) => answer.body.length >= 2)
  const protocol = answered.get('sec-websocket-protocol')
  // 0x88: a whole frame, of type close.
  if (body[0] !== 0x88) return { status, protocol }
  return { status, protocol, close: { code: body.readUInt16BE(2), reason: body.subarray(4).toString() } }
}

function parse(received: Buffer): RawAnswer | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [first = '', ...rest] = received.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Map(
    rest.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  return { status: Number(first.split(' ')[1]), headers, body: received.subarray(end + 4) }
}

function isComplete({ headers, body }: RawAnswer): boolean {
  return body.length >= Number(headers.get('content-length') ?? 0)
}
