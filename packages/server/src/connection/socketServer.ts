import { CLOSE_CODES, SUBPROTOCOL } from '@parley/core'
import { WebSocket, WebSocketServer } from 'ws'

const MESSAGE_TOO_BIG = 1009

/** A frame larger than what `ws` takes is answered with 4413: y-websocket repeats what was answered with 1009 for ever. */
class RoomSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (code === MESSAGE_TOO_BIG)
      super.close(CLOSE_CODES.tooLarge, 'the message is larger than a document may be')
    else super.close(code, reason)
  }
}

/** Creates the part of `ws` that speaks WebSocket on connections that the HTTP server hands over. */
export function createSocketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    // The server knows its connections itself.
    clientTracking: false,
    maxPayload,
    WebSocket: RoomSocket,
    // Compressed small frames gain nothing, and a compressor for each connection costs more memory than a room.
    perMessageDeflate: false,
    // Never what was offered first: that may be a token.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
}
