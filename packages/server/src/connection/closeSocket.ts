import type { CloseCode } from '@parley/core'
import type { WebSocket } from 'ws'

/** What a close frame holds beside the code. */
const MAX_REASON_BYTES = 123

/** Closes a WebSocket with a code and as much of a reason as fits into the frame. */
export function closeSocket(socket: WebSocket, code: CloseCode, reason: string): void {
  socket.close(code, cut(reason))
}

function cut(reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.byteLength <= MAX_REASON_BYTES) return reason
  // A character that was cut through becomes U+FFFD, which may be longer than what was left of it.
  return bytes.subarray(0, MAX_REASON_BYTES - 3).toString('utf8')
}
