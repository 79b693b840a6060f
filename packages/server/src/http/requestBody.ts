import type { IncomingMessage } from 'node:http'
import { pipeline, Transform } from 'node:stream'
import type { FastifyRequest, preParsingHookHandler } from 'fastify'

/** So much of a body that nobody needs is read, so that a client which still sends it gets the response. */
const MAX_DISCARDED_BYTES = 1024 * 1024
/** How long the rest of such a body may take to arrive, in milliseconds. */
const DISCARD_MS = 5_000

/** How many bytes a request announces. A chunked body announces none; see {@link meterChunked}. */
export function announcedBytes({ headers }: FastifyRequest): number {
  return Number(headers['content-length'] ?? 0)
}

type Charge = (bytes: number) => void

/** What is to be charged for the bytes of chunked bodies that are arriving. */
const charges = new WeakMap<IncomingMessage, readonly Charge[]>()

/** Charges what arrives of a body that does not announce its length, complete or not. */
export function meterChunked({ raw, headers }: FastifyRequest, charge: Charge): void {
  if (headers['transfer-encoding'] !== undefined) charges.set(raw, [...(charges.get(raw) ?? []), charge])
}

/** The body of a request, counted on its way to the parser if it is chunked. */
export const countBody: preParsingHookHandler = ({ raw }, _reply, payload, done) => {
  if (!charges.has(raw)) {
    done(null, payload)
    return
  }
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      count(raw, chunk)
      next(null, chunk)
    },
  })
  // Errors reach the parser by way of the counter.
  pipeline(payload, counter, () => {})
  done(null, counter)
}

function count(raw: IncomingMessage, chunk: Buffer): void {
  for (const charge of charges.get(raw) ?? []) charge(chunk.byteLength)
}

/**
 * Reads and discards what is left of a body when the response is sent before it arrived. Beyond {@link MAX_DISCARDED_BYTES} or
 * {@link DISCARD_MS} the connection is closed; Node itself would go on reading without end.
 */
export function discardBody({ raw }: FastifyRequest): void {
  // A short chunked body may have arrived as a whole, and is still to be counted.
  if (raw.destroyed || raw.readableEnded || (raw.complete && !charges.has(raw))) return
  let left = MAX_DISCARDED_BYTES
  const deadline = setTimeout(() => raw.destroy(), DISCARD_MS).unref()
  raw.once('close', () => clearTimeout(deadline))
  // A request that was never read from loses its listeners when the response ends.
  raw.read(0)
  raw.on('data', (chunk: Buffer) => {
    count(raw, chunk)
    left -= chunk.byteLength
    if (left < 0) raw.destroy()
  })
}

/** How large a response is, before it is sent: what a client does not read counts as well. Files are not counted. */
export function sentBytes(payload: unknown): number {
  if (typeof payload === 'string') return payload.length
  return payload instanceof Uint8Array ? payload.byteLength : 0
}
