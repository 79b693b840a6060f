import { CLOSE_CODES, type CloseCode } from '@parley/core'
import { ServerError } from '../errors.js'
import type { Peer, Seat } from './peer.js'

/**
 * Stores an update of the server's own making in a room, through the same queue as those of connections.
 *
 * @throws ServerError with the reason it was refused
 */
export function submitUpdate(
  join: (peer: Peer) => Seat,
  update: Uint8Array,
  { marksTime = false }: { marksTime?: boolean } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const seat = join({
      readOnly: false,
      marksTime,
      send: () => {},
      sendAnswer: (_message, sent) => sent(),
      refuse: (code, reason) => reject(toError(code, reason)),
    })
    seat.add({ type: 'update', update })
    seat.add({
      type: 'barrier',
      reached() {
        seat.leave()
        resolve()
      },
    })
  })
}

function toError(code: CloseCode, reason: string): ServerError {
  if (code === CLOSE_CODES.tooLarge) return new ServerError('too-large', reason)
  if (code === CLOSE_CODES.storeUnavailable) return new ServerError('store-unavailable', reason)
  return new ServerError('malformed', reason)
}
