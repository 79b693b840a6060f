import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'
import { ServerError } from '../errors.js'
import { AccessError, type Authenticate } from './authenticate.js'
import { isLoopbackName } from './origins.js'
import { isUid } from './roomPath.js'
import { MAX_TOKEN_AGE_MS } from './tokenAge.js'

/** The signatures that keys from a URL may make. `none` and shared secrets are not among them, whatever a token says. */
export type JwtAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

/** Where the keys come from, and what else a token must say. */
export interface JwtOptions {
  /**
   * The secret shared with the issuer of the tokens, which are signed with HS256: at least 32 bytes. Several while one replaces
   * another: tokens of each are taken.
   */
  readonly secret?: string | readonly string[]
  /** Where the issuer publishes its keys (RFC 7517), by https or from a loopback address. Instead of a secret. */
  readonly jwksUrl?: string
  /** Which signatures are taken from those keys; all three by default. */
  readonly algorithms?: readonly JwtAlgorithm[]
  /** What `iss` must be, if it matters. */
  readonly issuer?: string
  /** What `aud` must contain, if it matters. */
  readonly audience?: string
}

/** Shorter than the hash, a secret is the weakest part (RFC 7518, 3.2). */
const MIN_SECRET_BYTES = 32
/** Clocks of issuer and server may differ by this much. */
const CLOCK_TOLERANCE_S = 5
/** A key that is not known makes the keys be fetched again, but not more often than this, whatever became of it. */
const JWKS_COOLDOWN_MS = 30_000
const JWKS_TIMEOUT_MS = 5_000
const MAX_JWKS_BYTES = 256 * 1024
const JWKS_ALGORITHMS: readonly JwtAlgorithm[] = ['RS256', 'ES256', 'EdDSA']

/**
 * Lets in whoever shows a JSON Web Token (RFC 7519) whose `sub` is the user whose room it is. Tokens must expire, and the
 * connection ends with them, unless a client of `parley.1` sends a fresh one first.
 *
 * A claim `parley` may allow more or less: `{ "rooms": ["bob"] }` other rooms, `{ "rooms": "*" }` all, as for a service,
 * `{ "readOnly": true }` looking only, `{ "device": "phone" }` says which of the user's devices the token was issued to, so that
 * `revoke` can take back the tokens of one. A token without `iat` counts as issued before any revocation.
 *
 * Keys come from the options alone: what a token says of where its key is to be found is not looked at.
 *
 * @throws ServerError with code `invalid-argument`
 * @example
 * ```ts
 * import { createJwtAuthenticate, createMemoryLog, createServer } from '@parley/server'
 *
 * const auth = createJwtAuthenticate({ secret: 'a secret of at least 32 characters' })
 * const server = await createServer({ store: createMemoryLog(), auth, port: 0 })
 * await server.close()
 * ```
 */
export function createJwtAuthenticate(options: JwtOptions): Authenticate {
  const { issuer, audience } = options
  const [keys, algorithms] = keysOf(options)
  return async ({ uid, token }) => {
    if (token === undefined) throw new AccessError('unauthenticated', 'a token is needed')
    const { payload } = await verify(token, keys, {
      algorithms,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    }).catch(refuse)
    return readAccess(payload, uid)
  }
}

/** Verifies a token with each key in turn; only a wrong signature makes it try the next one. */
async function verify(
  token: string,
  keys: readonly JWTVerifyGetKey[],
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  for (const key of keys.slice(0, -1)) {
    try {
      return await jwtVerify(token, key, options)
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  return jwtVerify(token, keys.at(-1) as JWTVerifyGetKey, options)
}

function keysOf({ secret, jwksUrl, algorithms }: JwtOptions): [JWTVerifyGetKey[], string[]] {
  if ((secret === undefined) === (jwksUrl === undefined)) {
    throw new ServerError(
      'invalid-argument',
      'Tokens are checked with a secret or with the keys at a URL: name one of both',
    )
  }
  if (secret !== undefined) {
    if (algorithms)
      throw new ServerError('invalid-argument', 'algorithms go with jwksUrl; a secret means HS256')
    const secrets = [secret].flat().map((one) => new TextEncoder().encode(one))
    if (secrets.length === 0 || secrets.some(({ byteLength }) => byteLength < MIN_SECRET_BYTES)) {
      throw new ServerError('invalid-argument', `The secret must have at least ${MIN_SECRET_BYTES} bytes`)
    }
    return [secrets.map((bytes) => async () => bytes), ['HS256']]
  }
  const unknown = algorithms?.find((name) => !JWKS_ALGORITHMS.includes(name))
  if (unknown !== undefined || algorithms?.length === 0) {
    throw new ServerError('invalid-argument', `algorithms must be among ${JWKS_ALGORITHMS.join(', ')}`)
  }
  const keys = createRemoteJWKSet(checkUrl(jwksUrl as string), {
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: createKeyFetch(),
  })
  return [[keys], [...(algorithms ?? JWKS_ALGORITHMS)]]
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackName(url.hostname))
  if (!url || !isSafe) {
    throw new ServerError('invalid-argument', 'The address of the keys must be https, or a loopback address')
  }
  return url
}

/**
 * Fetches the keys as jose asks, but without following redirects, and not without end. jose waits between two fetches that
 * succeeded; here one that failed counts too, so that tokens that nobody can check are no load on whoever publishes the keys.
 */
function createKeyFetch(): (url: string, init: RequestInit) => Promise<Response> {
  let last = Number.NEGATIVE_INFINITY
  return async (url, init) => {
    const now = performance.now()
    if (now - last < JWKS_COOLDOWN_MS) throw new Error('The keys could not be fetched a moment ago')
    last = now
    const response = await fetch(url, { ...init, redirect: 'manual' })
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_JWKS_BYTES) throw new Error(`The keys have more than ${MAX_JWKS_BYTES} bytes`)
      chunks.push(chunk)
    }
    const { status, headers } = response
    return new Response(chunks.length === 0 ? null : Buffer.concat(chunks), { status, headers })
  }
}

/** What is wrong with a token is told by kind; where the keys could not be had, nothing is known of the token. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw new AccessError('unauthenticated', 'the token has expired: its exp has passed')
  if (error instanceof errors.JWTClaimValidationFailed) {
    throw new AccessError('unauthenticated', `the token's ${error.claim} is missing or wrong`)
  }
  const isTokens =
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  if (isTokens) throw new AccessError('unauthenticated', 'the token is not valid')
  throw error
}

function wrongClaim(claim: string, what: string): AccessError {
  return new AccessError('unauthenticated', `the token's ${claim} ${what}`)
}

function readAccess(
  { sub, exp, iat = 0, parley }: JWTPayload,
  named: string | undefined,
): ReturnType<Authenticate> {
  // jose checks that the claim is there, and not what it is.
  if (typeof sub !== 'string' || !isUid(sub))
    throw wrongClaim('sub', 'must be a string of 1 to 200 characters')
  if (parley !== undefined && (typeof parley !== 'object' || parley === null || Array.isArray(parley)))
    throw wrongClaim('parley', 'must be an object')
  // It would outlive every revocation, which compares with it.
  if (iat * 1000 > Date.now() + CLOCK_TOLERANCE_S * 1000) throw wrongClaim('iat', 'is in the future')
  const uid = named ?? sub
  const { rooms, readOnly, device } = (parley ?? {}) as Record<string, unknown>
  const mayEnter = sub === uid || rooms === '*' || (Array.isArray(rooms) && rooms.includes(uid))
  if (!mayEnter) throw new AccessError('forbidden', 'the room is not yours')
  const issuedAt = iat * 1000
  const tooOld = iat === 0 ? Number.POSITIVE_INFINITY : issuedAt + MAX_TOKEN_AGE_MS
  if (Date.now() > tooOld)
    throw new AccessError('unauthenticated', 'the token is too old: its iat is more than a year ago')
  return {
    uid,
    subject: sub,
    ...(typeof device === 'string' ? { device } : {}),
    issuedAt,
    readOnly: readOnly === true,
    expiresAt: Math.min((exp as number) * 1000, tooOld),
  }
}
