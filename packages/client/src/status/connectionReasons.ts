import type { ClientEnvironment } from '../environment.js'
import type { ConnectionReasonCode, ConnectionState, ConnectionStatus } from './status.js'

const MESSAGES = {
  'no-url': 'No server is configured; everything stays on this device.',
  'no-websocket': 'This runtime has no WebSocket; everything stays on this device.',
  disconnected: 'Syncing was turned off.',
  closed: 'The client was closed.',
  'destroyed-elsewhere': 'The local data was deleted in another tab.',
  'other-tab': 'Waiting for the tab that holds the connection.',
  suspended: 'The page is asleep or was left; it connects again when the user returns.',
} satisfies Partial<Record<ConnectionReasonCode, string>>

/** A connection status that no server has a part in. */
export function because(state: ConnectionState, code: keyof typeof MESSAGES): ConnectionStatus {
  return { state, reason: { code, message: MESSAGES[code] } }
}

/** Where the connection stands before anything was tried. */
export function initialConnection(
  url: string | undefined,
  { WebSocket }: Pick<ClientEnvironment, 'WebSocket'>,
): ConnectionStatus {
  if (url === undefined) return because('local-only', 'no-url')
  return WebSocket ? { state: 'connecting' } : because('local-only', 'no-websocket')
}
