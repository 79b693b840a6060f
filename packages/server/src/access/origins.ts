import { isIPv4, isIPv6 } from 'node:net'
import { ServerError } from '../errors.js'

/** Where a request says it comes from and goes to. */
export interface RequestSource {
  readonly host: string | undefined
  readonly origin: string | undefined
}

/** Decides by `Host` and `Origin` whether a request may be answered; returns what is wrong with it, or `null`. */
export type CheckSource = (source: RequestSource) => string | null

export interface SourceOptions {
  /** True if the server asks nobody who they are: it then answers only under a loopback name. */
  open: boolean
  /** The port the server listens on. */
  port: number
  /** True if the server itself speaks TLS. */
  secure?: boolean
  /** Origins of web pages that may connect, beside the server's own. */
  origins: readonly string[]
}

/** The ports that an address leaves out. */
const USUAL_PORTS = { 'http:': 80, 'https:': 443 } as const

/**
 * Creates the check of where requests come from.
 *
 * A server on loopback can be reached by every web page its user opens: by a WebSocket or a simple POST of another origin,
 * and by a host name that its owner points at 127.0.0.1 once the page is loaded. Browsers send `Origin` with the former and
 * the page's own name as `Host` with the latter; programs other than browsers send no `Origin`.
 */
export function createSourceCheck({ open, port, secure = false, origins }: SourceOptions): CheckSource {
  const allowed = new Set(origins.map(normalizeOrigin))
  const protocol = secure ? 'https:' : 'http:'
  // As a rule all name the same, and to parse it takes longer than the rest of the check.
  let lastHost: string | null = null
  const isOwnHost = (host: string): boolean => {
    if (host === lastHost) return true
    if (!isLoopbackHost(host, port, protocol)) return false
    lastHost = host
    return true
  }
  return ({ host, origin }) => {
    if (open && !(host !== undefined && isOwnHost(host))) return 'the Host is not the address of this server'
    if (origin === undefined || allowed.has(origin)) return null
    const page = parse(origin)
    if (open) {
      if (page?.protocol === protocol && isLoopbackHost(page.host, port, protocol)) return null
    } else if (page && page.host === host) return null
    return 'the Origin may not use this server'
  }
}

/**
 * An origin as browsers send it.
 *
 * @throws ServerError with code `invalid-argument` if it is none, such as an address with a path
 */
export function normalizeOrigin(origin: string): string {
  const url = parse(origin)
  const isOrigin = url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash
  if (!isOrigin || url.username !== '' || url.password !== '') {
    throw new ServerError(
      'invalid-argument',
      `origins must be such as https://chat.example.org, not ${origin}`,
    )
  }
  return url.origin
}

/** True for an address that only this machine reaches. */
export function isLoopbackName(name: string): boolean {
  const plain = name.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIPv4(plain)) return plain.startsWith('127.')
  if (isIPv6(plain)) return /^(0{0,4}:){2,7}0{0,3}1$/.test(plain)
  // Browsers resolve names below localhost to loopback themselves, whatever a name server says.
  return plain === 'localhost' || plain.endsWith('.localhost')
}

function isLoopbackHost(host: string, port: number, protocol: 'http:' | 'https:'): boolean {
  const url = parse(`${protocol}//${host}`)
  const usual = USUAL_PORTS[protocol]
  if (!url || url.host !== withoutPort(host.toLowerCase(), usual)) return false
  return isLoopbackName(url.hostname) && Number(url.port || usual) === port
}

function withoutPort(host: string, port: number): string {
  const end = `:${port}`
  return host.endsWith(end) ? host.slice(0, -end.length) : host
}

function parse(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null
}
