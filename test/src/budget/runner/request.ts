import http from 'node:http'
import type { HttpRequest } from '../inputs.js'

/** A request with what its route says. */
export interface SentRequest extends HttpRequest {
  readonly method: string
  readonly path: string
}

/** What came back. The body is counted, not kept. */
export interface Received {
  /** `null` if the connection ended without a response. */
  readonly status: number | null
  readonly bytes: number
}

/** How long a response is left unread, or half a request waits for the other half, in milliseconds. */
const HOLD_MS = 1_000

/** Sends one request on a connection of its own. Never rejects: a connection that ends has no status. */
export function request(
  url: string,
  { method, path, headers, body, ...how }: SentRequest,
): Promise<Received> {
  return new Promise((resolve) => {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const length = bytes === undefined || how.chunked ? {} : { 'content-length': String(bytes.byteLength) }
    const type = bytes === undefined ? {} : { 'content-type': 'application/json' }
    let status: number | null = null
    let received = 0
    const settle = (): void => resolve({ status, bytes: received })
    const sent = http.request(url + path, {
      method,
      agent: false,
      headers: { ...type, ...length, ...headers },
    })
    sent.on('response', (response) => {
      status = response.statusCode ?? null
      if (how.unread) {
        setTimeout(() => {
          received = response.socket.bytesRead
          sent.destroy()
          settle()
        }, HOLD_MS)
        return
      }
      response.on('data', (chunk: Buffer) => {
        received += chunk.byteLength
      })
      response.on('close', settle)
    })
    sent.on('upgrade', (response, socket) => {
      status = response.statusCode ?? null
      socket.destroy()
      settle()
    })
    sent.on('error', settle)
    sent.on('close', settle)
    if (how.cut && bytes) {
      sent.write(bytes.subarray(0, bytes.byteLength / 2))
      setTimeout(() => sent.destroy(), HOLD_MS)
    } else if (how.chunked && bytes) {
      sent.write(bytes)
      sent.end()
    } else sent.end(bytes)
  })
}
