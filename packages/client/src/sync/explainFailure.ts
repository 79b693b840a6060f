import type { ClientEnvironment } from '../environment.js'
import type { ConnectionReasonCode, Reason } from '../status/status.js'

/** How long the question by HTTP may take. */
const FETCH_TIMEOUT_MS = 5_000

const UNREACHABLE = { code: 'unreachable', message: 'The server cannot be reached.' } as const

/**
 * Explains an error that `new WebSocket` threw. Browsers throw the same `SecurityError` for an insecure address in a secure page
 * and for an address that the page's own policy forbids, so the page's protocol decides.
 */
export function explainRefusal(
  error: unknown,
  url: string,
  pageProtocol: string | undefined,
): Reason<ConnectionReasonCode> {
  const detail = error instanceof Error ? ` (${error.message})` : ''
  const isSecurityError = error instanceof Error && error.name === 'SecurityError'
  if (isSecurityError && isMixedContent(url, pageProtocol ?? 'https:')) return mixedContent()
  return {
    code: 'blocked-by-page',
    message: `The browser does not let this page connect to the server.${detail}`,
  }
}

/** The reason where mixed content alone explains that no socket opens. WebKit neither throws then nor ends the attempt. */
export function explainMixedContent(
  url: string,
  pageProtocol: string | undefined,
): Reason<ConnectionReasonCode> | null {
  return isMixedContent(url, pageProtocol) ? mixedContent() : null
}

/** True if a page of this protocol may not open this address. Browsers trust addresses of this machine without TLS. */
function isMixedContent(url: string, pageProtocol: string | undefined): boolean {
  const { protocol, hostname } = new URL(url)
  const isLoopback = /^(127\.[\d.]+|\[::1\]|localhost|.*\.localhost)$/.test(hostname)
  return pageProtocol === 'https:' && protocol === 'ws:' && !isLoopback
}

function mixedContent(): Reason<ConnectionReasonCode> {
  return {
    code: 'mixed-content',
    message: 'The page was loaded over HTTPS and may not connect to an address that begins with ws:.',
  }
}

/**
 * Finds out why no WebSocket opens at an address. A browser says only that it did not, so the same address is asked by HTTP: the
 * status says whether there is a server of the right kind. Without CORS headers the status is hidden, and only whether anything
 * answers can be told. It never rejects.
 */
export async function explainUnopened(
  address: string,
  { fetch, schedule }: Pick<ClientEnvironment, 'fetch' | 'schedule'>,
): Promise<Reason<ConnectionReasonCode>> {
  if (!fetch) return UNREACHABLE
  const http = address.replace(/^ws/, 'http')
  const abort = new AbortController()
  const cancel = schedule(() => abort.abort(), FETCH_TIMEOUT_MS)
  const ask = (mode: RequestMode): Promise<Response> =>
    fetch(http, { mode, credentials: 'omit', cache: 'no-store', signal: abort.signal })
  try {
    const response = await ask('cors').catch(() => ask('no-cors'))
    // What it says is not wanted, and a body that is not read holds a connection.
    void response.body?.cancel().catch(() => {})
    return explainStatus(response.status)
  } catch {
    return UNREACHABLE
  } finally {
    cancel()
  }
}

/** @param status of the answer to a plain request; 0 where the browser hides it */
function explainStatus(status: number): Reason<ConnectionReasonCode> {
  if (status >= 500) {
    return { code: 'unreachable', message: `The server cannot be reached: a proxy answers with ${status}.` }
  }
  // 426 is what a WebSocket server answers to plain HTTP, 400 what some do; 401 and 403 are of a gateway before it.
  if ([0, 400, 401, 403, 426].includes(status)) {
    const detail = status === 0 ? '' : ` with ${status}`
    return {
      code: 'no-upgrade',
      message: `The address answers HTTP requests${detail}, but no WebSocket opens.`,
    }
  }
  return {
    code: 'wrong-address',
    message: `There is no sync server at this address: it answers HTTP requests with ${status}.`,
  }
}
