import { CLOSE_CODES, type CloseCode } from '@parley/core'
import type { Logger } from '../logger.js'

/** Why somebody was refused, as a literal to count by; each stands for one of `CLOSE_CODES`. */
export type RefusalKind =
  | 'malformed'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'too-large'
  | 'store-unavailable'
  | 'slow-reader'
  | 'rate-limited'
  | 'service-restart'

/** That somebody was refused, and why. It holds no token and nothing of what a message says. */
export interface Refusal {
  readonly kind: RefusalKind
  /** Where: before a WebSocket was let in, on one that had been, or by plain HTTP. */
  readonly at: 'upgrade' | 'connection' | 'http'
  /** The code the WebSocket was closed with, or the status of the answer. */
  readonly code: number
  /** What the client was told. */
  readonly reason: string
  /** The user whose room it is, where that is known. */
  readonly room?: string
  /** The client's address; behind trusted proxies the one they tell. */
  readonly remoteAddress: string | undefined
}

/** Takes note of a refusal. All of the server's pass here. */
export type Audit = (refusal: Refusal) => void

const KINDS: Readonly<Record<CloseCode, RefusalKind>> = {
  [CLOSE_CODES.malformed]: 'malformed',
  [CLOSE_CODES.unauthenticated]: 'unauthenticated',
  [CLOSE_CODES.forbidden]: 'forbidden',
  [CLOSE_CODES.originRefused]: 'forbidden',
  [CLOSE_CODES.notFound]: 'not-found',
  [CLOSE_CODES.tooLarge]: 'too-large',
  [CLOSE_CODES.storeUnavailable]: 'store-unavailable',
  [CLOSE_CODES.slowReader]: 'slow-reader',
  [CLOSE_CODES.rateLimited]: 'rate-limited',
  [CLOSE_CODES.serviceRestart]: 'service-restart',
}

/** The statuses by which plain HTTP refuses a caller, rather than a request that is wrong in itself. */
const STATUS_KINDS: ReadonlyMap<number, RefusalKind> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [413, 'too-large'],
  [429, 'rate-limited'],
])

/** What a close code says. */
export function kindOfCode(code: CloseCode): RefusalKind {
  return KINDS[code]
}

/** What a status says of the caller; `null` for one that says something of the request or of the server. */
export function kindOfStatus(status: number): RefusalKind | null {
  return STATUS_KINDS.get(status) ?? null
}

/**
 * Creates the place that all refusals pass: one structured line in the log for each, then `onRefused`, which counts them for
 * instance.
 */
export function createAudit(logger: Logger, onRefused?: (refusal: Refusal) => void): Audit {
  return (refusal) => {
    logger.warn(refusal, 'refused')
    onRefused?.(refusal)
  }
}
