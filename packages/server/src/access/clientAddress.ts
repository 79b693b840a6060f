import type { IncomingMessage } from 'node:http'
import { isIP, isIPv6 } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import { ServerError } from '../errors.js'

/** Finds out the address a request comes from; `undefined` once its connection is gone. */
export type ClientAddress = (request: IncomingMessage) => string | undefined

/** How much of an IPv6 address is given out to one customer; the rest they choose themselves, as often as they like. */
const IPV6_NETWORK_GROUPS = 4
const IPV6_GROUPS = 8
const MAPPED_IPV4 = '::ffff:'

/**
 * Creates {@link ClientAddress}. `X-Forwarded-For` is read from its end for as long as those who wrote it are trusted: what
 * anybody else wrote into it is not believed.
 *
 * @param trusted addresses and networks of proxies, such as `10.0.0.7` or `10.0.0.0/8`; `loopback`, `linklocal` and
 *   `uniquelocal` stand for the networks of that name
 * @throws ServerError with code `invalid-argument`
 */
export function createClientAddress(trusted: readonly string[]): ClientAddress {
  const isTrusted = compile(trusted)
  return (request) => {
    const peer = plainAddress(request.socket.remoteAddress)
    if (peer === undefined || trusted.length === 0) return peer
    const told = plainAddress(proxyAddr(request, isTrusted))
    // A trusted proxy that passes on what is no address does not know either.
    return told !== undefined && isIP(told) !== 0 ? told : peer
  }
}

/** True if a request came over TLS, to this server or to a trusted proxy in front of it. */
export type IsSecure = (request: IncomingMessage) => boolean

/**
 * Creates {@link IsSecure}. `X-Forwarded-Proto` is believed of trusted proxies only.
 *
 * @param trusted as for {@link createClientAddress}
 * @throws ServerError with code `invalid-argument`
 */
export function createSecureCheck(trusted: readonly string[]): IsSecure {
  const isTrusted = compile(trusted)
  return ({ socket, headers }) => {
    if ('encrypted' in socket && socket.encrypted === true) return true
    const { remoteAddress } = socket
    if (trusted.length === 0 || remoteAddress === undefined || !isTrusted(remoteAddress, 0)) return false
    return headers['x-forwarded-proto'] === 'https'
  }
}

/** Under which name the limits of an address are kept: the address, or of IPv6 the network its owner has to himself. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  // An address that ends like IPv4 has two groups there.
  const given = before.length + after.length + (address.includes('.') ? 1 : 0)
  const zeros = tail === undefined ? [] : Array.from({ length: IPV6_GROUPS - given }, () => '0')
  const network = [...before, ...zeros, ...after].slice(0, IPV6_NETWORK_GROUPS)
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

function compile(trusted: readonly string[]): (address: string, hop: number) => boolean {
  try {
    return proxyAddr.compile([...trusted])
  } catch (cause) {
    throw new ServerError(
      'invalid-argument',
      `trustProxy must hold addresses and networks such as 10.0.0.0/8, not ${trusted.join(', ')}`,
      { cause },
    )
  }
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.toLowerCase().startsWith(MAPPED_IPV4) && address.includes('.')
    ? address.slice(MAPPED_IPV4.length)
    : address
}
