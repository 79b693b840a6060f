import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES, type CloseCode, SUBPROTOCOL } from '@parley/core'
import type { WebSocket } from 'ws'
import { askAccess } from '../access/ask.js'
import { type Access, AccessError, type Authenticate } from '../access/authenticate.js'
import type { CheckSource } from '../access/origins.js'
import { roomOfPath } from '../access/roomPath.js'
import { findToken, isTokenProtocol, offeredProtocols } from '../access/token.js'
import { closeSocket } from '../connection/closeSocket.js'
import { createSocketServer } from '../connection/socketServer.js'
import type { Limits, Timing } from '../limits.js'
import type { Logger } from '../logger.js'

/** A WebSocket that may use a room. */
export interface Admitted {
  readonly socket: WebSocket
  readonly room: string
  readonly access: Access
}

export interface UpgradeOptions {
  /** `null` lets everybody in; `checkSource` is then what keeps strangers out. */
  authenticate: Authenticate | null
  checkSource: CheckSource
  limits: Limits
  timing: Timing
  logger: Logger
  /** True once the server takes no more connections. */
  isStopping: () => boolean
  admit: (admitted: Admitted) => void
}

/** Why a WebSocket is refused. */
interface Refusal {
  readonly code: CloseCode
  readonly reason: string
}

/** A message carries a few bytes beside an update. */
const FRAME_OVERHEAD_BYTES = 1024
/** Whoever is refused need not say much. */
const REFUSED_PAYLOAD_BYTES = 4096
const REFUSED_TIMEOUT_MS = 2_000

/**
 * Creates the listener of a HTTP server's `upgrade` event.
 *
 * Who they are is asked before the upgrade is answered, so that no frame of a stranger is ever read. Who is refused gets
 * the upgrade all the same and then a close frame: y-websocket does not see a HTTP status, and would try for ever.
 */
export function createUpgradeHandler(
  options: UpgradeOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { limits, logger, isStopping, admit } = options
  const admitting = createSocketServer(limits.documentBytes + FRAME_OVERHEAD_BYTES)
  const refusing = createSocketServer(REFUSED_PAYLOAD_BYTES)

  const refuse = (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { code, reason }: Refusal,
  ): void => {
    logger.info({ code, reason, remoteAddress: request.socket.remoteAddress }, 'a WebSocket was refused')
    refusing.handleUpgrade(request, socket, head, (refused) => {
      refused.on('error', () => {})
      closeSocket(refused, code, reason)
      setTimeout(() => refused.terminate(), REFUSED_TIMEOUT_MS).unref()
    })
  }

  const decide = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // Until ws takes the socket over nobody else listens, and an error event would end the process.
    const onError = (): void => {
      socket.destroy()
    }
    socket.on('error', onError)
    const decision = await whoMay(request, options)
    socket.off('error', onError)
    if (socket.destroyed) return
    if ('code' in decision) return refuse(request, socket, head, decision)
    if (isStopping()) {
      return refuse(request, socket, head, { code: CLOSE_CODES.serviceRestart, reason: 'the server stops' })
    }
    const { room, access } = decision
    admitting.handleUpgrade(request, socket, head, (admitted) => {
      admit({ socket: admitted, room, access })
    })
  }

  return (request, socket, head) => {
    decide(request, socket, head).catch((error) => {
      logger.error({ err: error }, 'a WebSocket could not be upgraded')
      socket.destroy()
    })
  }
}

type Decision = Refusal | { readonly room: string; readonly access: Access }

async function whoMay(request: IncomingMessage, options: UpgradeOptions): Promise<Decision> {
  const { host, origin } = request.headers
  const wrong = options.checkSource({ host, origin })
  if (wrong !== null) return { code: CLOSE_CODES.forbidden, reason: wrong }
  const [path = '', query = ''] = split(request.url ?? '')
  const room = roomOfPath(path)
  if (room === null) return { code: CLOSE_CODES.notFound, reason: 'the address names no room' }
  const protocols = offeredProtocols(request.headers['sec-websocket-protocol'])
  if (protocols.length > 0 && !protocols.includes(SUBPROTOCOL)) {
    const others = protocols.every(isTokenProtocol) ? 'a token' : 'other subprotocols'
    return { code: CLOSE_CODES.malformed, reason: `offer ${SUBPROTOCOL} beside ${others}, or none` }
  }
  if (!options.authenticate) return { room, access: { uid: room } }
  return ask(options.authenticate, room, findToken(protocols, new URLSearchParams(query)), request, options)
}

async function ask(
  authenticate: Authenticate,
  room: string,
  token: string | undefined,
  request: IncomingMessage,
  { timing, logger }: UpgradeOptions,
): Promise<Decision> {
  const { headers } = request
  const { remoteAddress } = request.socket
  try {
    const access = await askAccess(
      authenticate,
      { uid: room, token, headers, remoteAddress },
      timing.authenticateMs,
    )
    if (access.uid !== room) return { code: CLOSE_CODES.forbidden, reason: 'the room is not yours' }
    return { room, access }
  } catch (error) {
    if (error instanceof AccessError) {
      const code = error.code === 'forbidden' ? CLOSE_CODES.forbidden : CLOSE_CODES.unauthenticated
      return { code, reason: error.message }
    }
    logger.error({ room, err: error }, 'who somebody is could not be decided')
    return { code: CLOSE_CODES.storeUnavailable, reason: 'who you are could not be checked' }
  }
}

/** Path and query of a request target, as they came: nothing is normalised, so `..` and `//` name no room. */
function split(target: string): [path: string, query: string] {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}
