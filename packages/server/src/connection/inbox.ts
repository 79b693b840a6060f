import { CLOSE_CODES, type CloseCode, encodeAcknowledgement, SUBPROTOCOL } from '@parley/core'
import type { Visit } from '../admission/admission.js'
import { ServerError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Seat } from '../room/peer.js'
import type { Room } from '../room/room.js'
import { type ClientMessage, readMessage } from './messages.js'
import type { Session } from './session.js'

/** Takes in one frame of a client. It never throws. */
export type Inbox = (frame: Uint8Array<ArrayBuffer>, isBinary: boolean) => void

export interface InboxOptions {
  room: Pick<Room, 'name' | 'epoch' | 'version'>
  seat: Seat
  /** True if `parley.1` was selected. */
  speaksParley: boolean
  session: Pick<Session, 'renew'>
  /** Counts what is received. */
  visit: Pick<Visit, 'complete'>
  /** Passes on who is there. */
  offerAwareness: (update: Uint8Array) => void
  limits: Limits
  logger: Logger
  send: (message: Uint8Array) => void
  close: (code: CloseCode, reason: string) => void
}

/** A request for all that the client lacks costs as much as so many other messages: the whole document may have to be encoded. */
const SYNC_COST = 20

/** Creates the {@link Inbox} of a client that has its seat in a room. */
export function createInbox(options: InboxOptions): Inbox {
  const { room, seat, speaksParley, session, visit, offerAwareness, limits, logger, send, close } = options

  const receive = (message: ClientMessage): void => {
    switch (message.type) {
      case 'sync':
        seat.add(message)
        break
      case 'update':
      case 'answer':
        if (message.update.byteLength <= limits.documentBytes) seat.add(message)
        else close(CLOSE_CODES.tooLarge, `an update may have ${limits.documentBytes} bytes`)
        break
      case 'awareness':
        // What is too large is left out: an app that says too much of its users syncs all the same.
        if (message.update.byteLength <= limits.awarenessBytes) offerAwareness(message.update)
        break
      case 'queryAwareness':
        seat.sendAwareness()
        break
      case 'acknowledge': {
        const { token } = message
        const reached = (): void => {
          const { epoch, version } = room
          send(encodeAcknowledgement({ token, epoch, version }))
        }
        if (speaksParley) seat.add({ type: 'barrier', reached })
        else close(CLOSE_CODES.malformed, `acknowledgements belong to the subprotocol ${SUBPROTOCOL}`)
        break
      }
      case 'token':
        if (!speaksParley) close(CLOSE_CODES.malformed, `tokens belong to the subprotocol ${SUBPROTOCOL}`)
        else if (message.token.length > limits.tokenBytes)
          close(CLOSE_CODES.malformed, `a token may have ${limits.tokenBytes} bytes`)
        else session.renew(message.token)
    }
  }

  return (frame, isBinary) => {
    if (!isBinary) {
      close(CLOSE_CODES.malformed, 'text frames are not part of the protocol')
      return
    }
    try {
      const message = readMessage(frame)
      const refused = visit.complete(message.type === 'sync' ? SYNC_COST : 1)
      if (refused) close(refused.code, refused.reason)
      else receive(message)
    } catch (error) {
      if (!(error instanceof ServerError))
        logger.error({ room: room.name, err: error }, 'a message could not be dealt with')
      close(
        CLOSE_CODES.malformed,
        error instanceof ServerError ? error.message : 'the message could not be read',
      )
    }
  }
}
