import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES, SUBPROTOCOL } from '@parley/core'
import type { WebSocket } from 'ws'
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
import { readFirstToken } from '../connection/firstMessage.js'
import { createSocketServer } from '../connection/socketServer.js'
import type { Limits, Timing } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Pacer } from '../pacer.js'

export interface UpgradeOptions {
  /** `null` lets everybody in; `checkSource` is then what keeps strangers out. */
  gate: Gate | null
  checkSource: CheckSource
  clientAddress: ClientAddress
  admission: Pick<Admission, 'knock'>
  limits: Limits
  timing: Pick<Timing, 'firstMessageMs'>
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
/** So many may be connected whose first message, with their token, has not arrived. */
const MAX_WAITING = 1_000
const FLOOD_ANSWER =
  'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Creates the listener of a HTTP server's `upgrade` event.
 *
 * Who they are is asked before the upgrade is answered, so that no frame of a stranger is read, but for the first message of a
 * client whose request had no token. Who is refused gets the upgrade all the same and then a close frame: y-websocket does not
 * see a HTTP status, and would try for ever.
 */
export function createUpgradeHandler(
  options: UpgradeOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { gate, limits, timing, logger, audit, clientAddress, admission, pace, isStopping, admit } = options
  const admitting = createSocketServer(limits.documentBytes + FRAME_OVERHEAD_BYTES)
  const refusing = createSocketServer(REFUSED_PAYLOAD_BYTES)
  let refusedCount = 0
  const refuse = (request: IncomingMessage, socket: Duplex, head: Buffer, refused: RefusedFrom): void => {
    note(refused)
    if (refusedCount >= MAX_REFUSED) {
      socket.on('error', () => {})
      socket.end(FLOOD_ANSWER, () => socket.destroy())
      return
    }
    refusing.handleUpgrade(request, socket, head, (upgraded) => {
      refusedCount++
      upgraded.on('close', () => refusedCount--)
      upgraded.on('error', () => {})
      end(upgraded, refused)
    })
  }

  const note = ({ code, reason, room, remoteAddress }: RefusedFrom): void =>
    audit({
      kind: kindOfCode(code),
      at: 'upgrade',
      code,
      reason,
      ...(room === undefined ? {} : { room }),
      remoteAddress,
    })

  const end = (upgraded: WebSocket, { code, reason }: RefusedAccess): void => {
    const deadline = setTimeout(() => upgraded.terminate(), REFUSED_TIMEOUT_MS).unref()
    upgraded.once('close', () => clearTimeout(deadline))
    closeSocket(upgraded, code, reason)
  }

  let waitingCount = 0
  /** Upgrades a request without a token and waits for one in the first message; nothing else is read before it is accepted. */
  const awaitToken = (request: IncomingMessage, socket: Duplex, head: Buffer, refused: Waiting): void => {
    const { waiting } = refused
    if (waitingCount >= MAX_WAITING) {
      waiting.leave()
      const busy = {
        code: CLOSE_CODES.storeUnavailable,
        reason: 'too many clients have not sent a token yet',
      }
      refuse(request, socket, head, { ...refused, ...busy })
      return
    }
    let isUpgraded = false
    admitting.handleUpgrade(request, socket, head, (upgraded) => {
      isUpgraded = true
      waitingCount++
      upgraded.on('error', () => {})
      admitFirstToken(upgraded, socket, refused)
        .catch((error) => {
          logger.error({ err: error }, 'a first message could not be handled')
          upgraded.terminate()
        })
        .finally(() => waitingCount--)
    })
    if (!isUpgraded) waiting.leave()
  }

  const admitFirstToken = async (upgraded: WebSocket, stream: Duplex, refused: Waiting): Promise<void> => {
    const { room, remoteAddress, waiting: visit } = refused
    let decision: (LetIn & { readonly visit: Visit }) | RefusedAt = refused
    try {
      const first = await readFirstToken(upgraded, stream, {
        maxTokenBytes: limits.tokenBytes,
        timeoutMs: timing.firstMessageMs,
      })
      if (first && gate && room !== undefined) {
        const decided = await gate({ uid: room, token: first.token, headers: {}, remoteAddress })
        decision = 'code' in decided ? { room, ...decided } : enter(visit, { room, ...decided })
      }
      if ('code' in decision || upgraded.readyState !== upgraded.OPEN) visit.leave()
      else admit({ socket: upgraded, stream, remoteAddress, early: first?.rest ?? [], ...decision })
    } catch (error) {
      visit.leave()
      throw error
    }
    if ('code' in decision && upgraded.readyState === upgraded.OPEN) {
      note({ ...decision, remoteAddress })
      upgraded.resume()
      end(upgraded, decision)
    }
  }

  const decide = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    remoteAddress: string | undefined,
  ): Promise<void> => {
    const decision = await letIn(request, head, remoteAddress)
    if ('code' in decision) {
      const { waiting } = decision
      if (socket.destroyed) waiting?.leave()
      else if (waiting) awaitToken(request, socket, head, { ...decision, waiting, remoteAddress })
      else refuse(request, socket, head, { ...decision, remoteAddress })
      return
    }
    const { room, access, visit } = decision
    let isAdmitted = false
    if (!socket.destroyed) {
      admitting.handleUpgrade(request, socket, head, (admitted) => {
        isAdmitted = true
        admit({ socket: admitted, stream: socket, visit, room, access, remoteAddress, early: null })
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
    const decision = await whoMay(request, head, remoteAddress, options)
    // Those who waited for the same answer, as of the store, are told by it all at once.
    await new Promise<void>(pace)
    if (!('code' in decision)) return enter(visit, decision)
    if (decision.mayFollow) return { ...decision, waiting: visit }
    visit.leave()
    return decision
  }

  const enter = (visit: Visit, letIn: LetIn): (LetIn & { readonly visit: Visit }) | RefusedAt => {
    const { room } = letIn
    const refused = isStopping()
      ? { code: CLOSE_CODES.serviceRestart, reason: 'the server stops' }
      : visit.enter(room)
    if (!refused) return { ...letIn, visit }
    visit.leave()
    return { room, ...refused }
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
  /** True if the request had no token, which the first message may bring. */
  readonly mayFollow?: boolean
  /** What counts a client that may still send its token. */
  readonly waiting?: Visit
}

interface Waiting extends RefusedFrom {
  readonly waiting: Visit
}

interface RefusedFrom extends RefusedAt {
  readonly remoteAddress: string | undefined
}

async function whoMay(
  request: IncomingMessage,
  head: Buffer,
  remoteAddress: string | undefined,
  { checkSource, gate }: UpgradeOptions,
): Promise<LetIn | RefusedAt> {
  const { headers } = request
  const wrong = checkSource({ host: headers.host, origin: headers.origin })
  if (wrong !== null) return { code: CLOSE_CODES.originRefused, reason: wrong }
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
  const decision = await gate({ uid: room, token, headers, remoteAddress })
  const mayFollow = 'code' in decision && decision.code === CLOSE_CODES.unauthenticated && token === undefined
  return { room, ...decision, ...(mayFollow ? { mayFollow } : {}) }
}

/** Path and query of a request target, as they came: nothing is normalised, so `..` and `//` name no room. */
function split(target: string): [path: string, query: string] {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}
