import {
  CLOSE_CODES,
  type CloseCode,
  type DigestOutcome,
  encodeAcknowledgement,
  encodeDigestOutcome,
  SUBPROTOCOL,
} from '@parley/core'
import type { Visit } from '../admission/admission.js'
import { ServerError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Claim, Digests } from '../room/digests.js'
import type { Seat } from '../room/peer.js'
import type { Room } from '../room/room.js'
import { type ClientMessage, readMessage } from './messages.js'
import type { Session } from './session.js'

/**
 * A request for all that the client lacks, or to compare what it holds, costs as much as so many other messages: the whole
 * document may have to be read.
 */
const SYNC_COST = 20

/** Who sends the frames. */
export interface InboxClient {
  /** True if `parley.1` was selected, or the first message was a token. */
  speaksParley: boolean
  /** True if the token allows reading only. */
  readonly readOnly: boolean
  readonly session: Pick<Session, 'renew'>
  /** Counts what is received. */
  readonly visit: Pick<Visit, 'complete'>
  readonly digests: Digests
  readonly limits: Limits
  readonly logger: Logger
  /** Passes on who is there. */
  offerAwareness: (update: Uint8Array) => void
  /** Sends a message now, also while the answer to a sync is under way. */
  sendNow: (message: Uint8Array) => void
  /** Ends the connection. */
  refuse: (code: CloseCode, reason: string) => void
}

/** Takes in the frames of a client that has its seat in a room. */
export class Inbox {
  private readonly client: InboxClient
  private readonly room: Pick<Room, 'name' | 'epoch' | 'version'>
  private readonly seat: Seat
  private isFirst = true
  private isComparing = false

  constructor(client: InboxClient, room: Pick<Room, 'name' | 'epoch' | 'version'>, seat: Seat) {
    this.client = client
    this.room = room
    this.seat = seat
  }

  /** Takes in one frame. It never throws. */
  receive(frame: Uint8Array<ArrayBuffer>, isBinary: boolean): void {
    const { client, room } = this
    if (!isBinary) {
      client.refuse(CLOSE_CODES.malformed, 'text frames are not part of the protocol')
      return
    }
    try {
      const message = readMessage(frame)
      // Where a proxy removes the subprotocol a client of ours shows itself by this.
      if (this.isFirst && message.type === 'token') client.speaksParley = true
      this.isFirst = false
      const refused = client.visit.complete(
        message.type === 'sync' || message.type === 'digest' ? SYNC_COST : 1,
      )
      if (refused) client.refuse(refused.code, refused.reason)
      else this.take(message)
    } catch (error) {
      if (!(error instanceof ServerError))
        client.logger.error({ room: room.name, err: error }, 'a message could not be dealt with')
      client.refuse(
        CLOSE_CODES.malformed,
        error instanceof ServerError ? error.message : 'the message could not be read',
      )
    }
  }

  private take(message: ClientMessage): void {
    const { client, seat } = this
    const { limits, speaksParley } = client
    switch (message.type) {
      case 'sync':
        seat.add(message)
        break
      case 'update':
      case 'answer':
        if (message.update.byteLength <= limits.documentBytes) seat.add(message)
        else client.refuse(CLOSE_CODES.tooLarge, `an update may have ${limits.documentBytes} bytes`)
        break
      case 'awareness':
        // Dropped, as stock clients send it by themselves and would not come back from being closed.
        if (client.readOnly) break
        // What is too large is left out: an app that says too much of its users syncs all the same.
        if (message.update.byteLength <= limits.awarenessBytes) client.offerAwareness(message.update)
        break
      case 'queryAwareness':
        seat.sendAwareness()
        break
      case 'acknowledge':
        if (speaksParley) this.acknowledge(message.token)
        else client.refuse(CLOSE_CODES.malformed, `acknowledgements belong to the subprotocol ${SUBPROTOCOL}`)
        break
      case 'digest':
        if (speaksParley) this.compare(message.claim)
        else client.refuse(CLOSE_CODES.malformed, `digests belong to the subprotocol ${SUBPROTOCOL}`)
        break
      case 'token':
        if (!speaksParley)
          client.refuse(CLOSE_CODES.malformed, `tokens belong to the subprotocol ${SUBPROTOCOL}`)
        else if (message.token.length > limits.tokenBytes)
          client.refuse(CLOSE_CODES.malformed, `a token may have ${limits.tokenBytes} bytes`)
        else client.session.renew(message.token)
    }
  }

  /** Compares what the client holds once all that was received before is durable; one claim at a time. */
  private compare(claim: Claim): void {
    const { client, room } = this
    const answer = (outcome: DigestOutcome): void => client.sendNow(encodeDigestOutcome(claim.id, outcome))
    if (this.isComparing) {
      answer('skipped')
      return
    }
    this.isComparing = true
    this.seat.add({
      type: 'barrier',
      reached: () => {
        void client.digests.compare(room.name, room.version, claim).then((outcome) => {
          this.isComparing = false
          answer(outcome)
        })
      },
    })
  }

  /** Says when all that was received before is durable. */
  private acknowledge(token: number): void {
    this.seat.add({
      type: 'barrier',
      reached: () => {
        const { epoch, version } = this.room
        this.client.sendNow(encodeAcknowledgement({ token, epoch, version }))
      },
    })
  }
}
