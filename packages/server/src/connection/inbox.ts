import { CLOSE_CODES, type CloseCode, encodeAcknowledgement, SUBPROTOCOL } from '@parley/core'
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
  limits: Limits
  logger: Logger
  send: (message: Uint8Array) => void
  close: (code: CloseCode, reason: string) => void
}

/** Creates the {@link Inbox} of a client that has its seat in a room. */
export function createInbox(options: InboxOptions): Inbox {
  const { room, seat, speaksParley, session, limits, logger, send, close } = options

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
        if (message.update.byteLength <= limits.awarenessBytes) seat.receiveAwareness(message.update)
        else close(CLOSE_CODES.malformed, `awareness may have ${limits.awarenessBytes} bytes`)
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
      receive(readMessage(frame))
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
