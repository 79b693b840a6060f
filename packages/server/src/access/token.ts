const TOKEN_PROTOCOL = 'parley.token.'

/** The subprotocols a client offers, in its order. */
export function offeredProtocols(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** True for the subprotocol that carries a token. It is never selected, for what is selected is echoed. */
export function isTokenProtocol(name: string): boolean {
  return name.startsWith(TOKEN_PROTOCOL)
}

/** The token of a request; the query is for clients that cannot offer a subprotocol. */
export function findToken(protocols: readonly string[], query: URLSearchParams): string | undefined {
  const offered = protocols.find(isTokenProtocol)
  if (offered !== undefined) return offered.slice(TOKEN_PROTOCOL.length)
  return query.get('token') ?? undefined
}
