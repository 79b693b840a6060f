import type { ConnectionReasonCode, Reason } from './status.js'

/** What an app's developer or operator can do about a connection that does not come about. */
const REMEDIES: Partial<Record<ConnectionReasonCode, string>> = {
  'mixed-content': 'Serve the sync server over TLS and pass a url that begins with wss:.',
  'blocked-by-page':
    "Allow the server's address in connect-src of the page's Content-Security-Policy, and check the url.",
  'wrong-address': 'Check the host and the path of url; a Parley server answers at /sync.',
  'no-upgrade':
    'Check url, and that every proxy before the server passes on the Upgrade and Connection headers (see docs/operating.md).',
  'subprotocol-stripped':
    'Make the proxy before the server pass on the Sec-WebSocket-Protocol header of requests and answers; until then each connection takes an attempt more.',
  'origin-refused': "Start the server with --origin and this page's origin.",
  'token-missing': 'Make getToken return a token, then call connect().',
  'token-refused': "Check that getToken returns tokens the server's settings accept, then call connect().",
  forbidden: "Check that the token's user is the userId of createClient, then call connect().",
  malformed: 'Update the client or the server: one sends what the other cannot read.',
  'not-found': 'Check the path of url; a Parley server answers at /sync.',
  'too-large': "Raise the server's limit for documents, or delete conversations.",
  refused: "Look into the server's log for the reason.",
}

/** The line for a developer's console about a reason, or `null` where nobody has to do anything. */
export function adviceFor({ code, message }: Reason<ConnectionReasonCode>): string | null {
  const remedy = REMEDIES[code]
  return remedy === undefined ? null : `Parley (${code}): ${message} ${remedy}`
}
