import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES, SUBPROTOCOL } from '@parley/core'
import { type Audit, kindOfCode } from '../access/audit.js'
import type { Access } from '../access/authenticate.js'
import type { ClientAddress } from '../access/clientAddress.js'
import type { Gate, RefusedAccess } from '../access/gate.js'
import type { CheckSource } from '../access/origins.js'
import { roomOfPath } from '../access/roomPath.js'
import { findToken, isTokenProtocol, offeredProtocols } from '../access/token.js'
import type { Admission, Visit } from '../admission/admission.js'
import { closeSocket } from '../connection/closeSocket.js'
import type { Admitted } from '../connection/connection.js'
import { createSocketServer } from '../connection/socketServer.js'
import type { Limits } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Pacer } from '../pacer.js'

export interface UpgradeOptions {
  /** `null` lets everybody in; `checkSource` is then what keeps strangers out. */
  gate: Gate | null
  checkSource: CheckSource
  clientAddress: ClientAddress
  admission: Pick<Admission, 'knock'>
  limits: Limits
  logger: Logger
  audit: Audit
  /** Handshakes are done at this pace. */
  pace: Pacer
  /** True once the server takes no more connections. */
  isStopping: () => boolean
  admit: (admitted: Admitted) => void
}

/** A message carries a few bytes beside an update. */
const FRAME_OVERHEAD_BYTES = 1024
/** A client speaks when the upgrade is answered. What comes with the request of one that does not wait is no more than this. */
const MAX_EARLY_BYTES = 4096
/** Whoever is refused need not say much. */
const REFUSED_PAYLOAD_BYTES = 4096
const REFUSED_TIMEOUT_MS = 2_000
/** So many may be told why by WebSocket at a time; more are a flood, and are told by HTTP, which is cheaper. */
const MAX_REFUSED = 1_000
const FLOOD_ANSWER =
  'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Creates the listener of a HTTP server's `upgrade` event.
 *
 * Who they are is asked before the upgrade is answered, so that no frame of a stranger is ever read. Who is refused gets
 * the upgrade all the same and then a close frame: y-websocket does not see a HTTP status, and would try for ever.
 */
export function createUpgradeHandler(
  options: UpgradeOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { limits, logger, audit, clientAddress, admission, pace, isStopping, admit } = options
  const admitting = createSocketServer(limits.documentBytes + FRAME_OVERHEAD_BYTES)
  const refusing = createSocketServer(REFUSED_PAYLOAD_BYTES)
  let refusedCount = 0
  const refuse = (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { code, reason, room, remoteAddress }: RefusedAt & { readonly remoteAddress: string | undefined },
  ): void => {
    audit({
      kind: kindOfCode(code),
      at: 'upgrade',
      code,
      reason,
      ...(room === undefined ? {} : { room }),
      remoteAddress,
    })
    if (refusedCount >= MAX_REFUSED) {
      socket.on('error', () => {})
      socket.end(FLOOD_ANSWER, () => socket.destroy())
      return
    }
    refusing.handleUpgrade(request, socket, head, (refused) => {
      refusedCount++
      const deadline = setTimeout(() => refused.terminate(), REFUSED_TIMEOUT_MS).unref()
      refused.on('close', () => {
        clearTimeout(deadline)
        refusedCount--
      })
      refused.on('error', () => {})
      closeSocket(refused, code, reason)
    })
  }

  const decide = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    remoteAddress: string | undefined,
  ): Promise<void> => {
    const decision = await letIn(request, head, remoteAddress)
    if ('code' in decision) {
      if (!socket.destroyed) refuse(request, socket, head, { ...decision, remoteAddress })
      return
    }
    const { room, access, visit } = decision
    let isAdmitted = false
    if (!socket.destroyed) {
      admitting.handleUpgrade(request, socket, head, (admitted) => {
        isAdmitted = true
        admit({ socket: admitted, stream: socket, visit, room, access, remoteAddress })
      })
    }
    // Or ws has found the request to be none.
    if (!isAdmitted) visit.leave()
  }

  const letIn = async (
    request: IncomingMessage,
    head: Buffer,
    remoteAddress: string | undefined,
  ): Promise<(LetIn & { readonly visit: Visit }) | RefusedAt> => {
    const visit = admission.knock(remoteAddress)
    if ('code' in visit) return visit
    const leave = (refused: RefusedAt): RefusedAt => {
      visit.leave()
      return refused
    }
    const decision = await whoMay(request, head, remoteAddress, options)
    // Those who waited for the same answer, as of the store, are told by it all at once.
    await new Promise<void>(pace)
    if ('code' in decision) return leave(decision)
    const { room } = decision
    if (isStopping()) return leave({ room, code: CLOSE_CODES.serviceRestart, reason: 'the server stops' })
    const noPlace = visit.enter(room)
    return noPlace ? leave({ room, ...noPlace }) : { ...decision, visit }
  }

  return (request, socket, head) => {
    // Until ws takes the socket over nobody else listens, and an error event would end the process.
    const onError = (): void => {
      socket.destroy()
    }
    socket.on('error', onError)
    // Before anything is awaited: a connection that is gone has no address any more.
    const remoteAddress = clientAddress(request)
    pace(() => {
      decide(request, socket, head, remoteAddress)
        .catch((error) => {
          logger.error({ err: error }, 'a WebSocket could not be upgraded')
          socket.destroy()
        })
        .finally(() => socket.off('error', onError))
    })
  }
}

interface LetIn {
  readonly room: string
  readonly access: Access
}

interface RefusedAt extends RefusedAccess {
  readonly room?: string
}

async function whoMay(
  request: IncomingMessage,
  head: Buffer,
  remoteAddress: string | undefined,
  { checkSource, gate }: UpgradeOptions,
): Promise<LetIn | RefusedAt> {
  const { headers } = request
  const wrong = checkSource({ host: headers.host, origin: headers.origin })
  if (wrong !== null) return { code: CLOSE_CODES.forbidden, reason: wrong }
  const [path = '', query = ''] = split(request.url ?? '')
  const room = roomOfPath(path)
  if (room === null) return { code: CLOSE_CODES.notFound, reason: 'the address names no room' }
  const protocols = offeredProtocols(headers['sec-websocket-protocol'])
  if (protocols.length > 0 && !protocols.includes(SUBPROTOCOL)) {
    const others = protocols.every(isTokenProtocol) ? 'a token' : 'other subprotocols'
    return { code: CLOSE_CODES.malformed, reason: `offer ${SUBPROTOCOL} beside ${others}, or none` }
  }
  if (head.byteLength > MAX_EARLY_BYTES) {
    return { code: CLOSE_CODES.malformed, reason: 'wait for the answer to the upgrade before you speak' }
  }
  if (!gate) return { room, access: { uid: room } }
  const token = findToken(protocols, new URLSearchParams(query))
  return { room, ...(await gate({ uid: room, token, headers, remoteAddress })) }
}

/** Path and query of a request target, as they came: nothing is normalised, so `..` and `//` name no room. */
function split(target: string): [path: string, query: string] {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}
