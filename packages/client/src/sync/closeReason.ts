import { CLOSE_CODES } from '@parley/core'
import type { ConnectionReasonCode, Reason } from '../status/status.js'

/** What a closed connection means for the next one. */
export interface CloseVerdict {
  /**
   * - `retry`: it passes; connect again after a pause.
   * - `refresh`: connect again with another token.
   * - `stop`: connecting again cannot help.
   */
  readonly action: 'retry' | 'refresh' | 'stop'
  readonly reason: Reason<ConnectionReasonCode>
}

const VERDICTS: Record<number, readonly [CloseVerdict['action'], ConnectionReasonCode, string]> = {
  [CLOSE_CODES.serviceRestart]: ['retry', 'server-restart', 'The server is restarting.'],
  [CLOSE_CODES.malformed]: ['stop', 'malformed', 'The server could not read what this device sent.'],
  [CLOSE_CODES.unauthenticated]: ['refresh', 'token-refused', 'The server does not accept the sign-in.'],
  [CLOSE_CODES.forbidden]: ['stop', 'forbidden', 'The server does not let this user in here.'],
  [CLOSE_CODES.originRefused]: ['stop', 'origin-refused', 'The server does not serve pages of this origin.'],
  [CLOSE_CODES.notFound]: ['stop', 'not-found', 'The server knows no such address.'],
  [CLOSE_CODES.tooLarge]: ['stop', 'too-large', 'The document is larger than the server keeps.'],
  [CLOSE_CODES.storeUnavailable]: ['retry', 'server-busy', 'The server cannot store anything at the moment.'],
  [CLOSE_CODES.slowReader]: ['retry', 'connection-lost', 'The connection was too slow.'],
  [CLOSE_CODES.rateLimited]: ['retry', 'server-busy', 'The server asks for a pause.'],
}

/** Judges the close of a connection that was open. `event` is `null` where the server fell silent. */
export function judgeClose(event: Pick<CloseEvent, 'code' | 'reason'> | null): CloseVerdict {
  if (event === null) return verdict('retry', 'timeout', 'The server has not been heard of for a while.')
  const known = VERDICTS[event.code]
  const [action, code, message] =
    known ??
    // y-websocket's convention: what begins with 44 will not pass.
    (event.code >= 4400 && event.code < 4500
      ? (['stop', 'refused', 'The server refuses the connection.'] as const)
      : (['retry', 'connection-lost', 'The connection to the server was lost.'] as const))
  return verdict(action, code, event.reason === '' ? message : `${message} (${event.reason})`)
}

function verdict(action: CloseVerdict['action'], code: ConnectionReasonCode, message: string): CloseVerdict {
  return { action, reason: { code, message } }
}
