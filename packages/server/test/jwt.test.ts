import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CLOSE_CODES, SUBPROTOCOL } from '@parley/core'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createJwtAuthenticate, type JwtOptions } from '../src/index.js'
import { connectRaw, startServer } from './support/harness.js'

const SECRET = 'a secret that has at least 32 characters'
const key = new TextEncoder().encode(SECRET)

const token = (claims: JWTPayload, expires: number | string = '1h', signedWith = key): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(expires).sign(signedWith)

/** Whether a token gets into a room: `in`, or the code and reason of the close. */
async function tryToken(url: string, jwt: string): Promise<string> {
  const client = await connectRaw(url, { protocols: [SUBPROTOCOL, `parley.token.${jwt}`] })
  const entered = client.frame(() => true).then(() => 'in')
  return Promise.race([entered, client.closed.then(({ code, reason }) => `${code} ${reason}`)])
}

/** Listens on a free port until the test ends; returns the address. */
async function listen(issuer: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    issuer.close()
    issuer.closeAllConnections()
  })
  return `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
}

/** Publishes keys as an issuer does; answers with 500 while there are none. */
async function publishKeys(
  keys: () => Array<{ kid: string; alg: string; key: Parameters<typeof exportJWK>[0] }> | null,
): Promise<{ url: string; fetched: () => number }> {
  let fetched = 0
  const issuer = createHttpServer(async (_request, response) => {
    fetched++
    const published = keys()
    response.writeHead(published ? 200 : 500, { 'content-type': 'application/json' })
    const jwks = (published ?? []).map(async ({ kid, alg, key }) => ({ ...(await exportJWK(key)), kid, alg }))
    response.end(JSON.stringify({ keys: await Promise.all(jwks) }))
  })
  return { url: await listen(issuer), fetched: () => fetched }
}

async function serverWith(options: JwtOptions, expiryJitterMs = 0) {
  return startServer({ auth: createJwtAuthenticate(options), timing: { expiryJitterMs } as never })
}

describe('JSON Web Tokens', () => {
  it('[A7] the room is the token’s sub, or one that its claim allows', async () => {
    const { room } = await serverWith({ secret: SECRET })
    expect(await tryToken(room('alice'), await token({ sub: 'alice' }))).toBe('in')
    expect(await tryToken(room('bob'), await token({ sub: 'alice' }))).toMatch(/^4403 /)
    expect(await tryToken(room('bob'), await token({ sub: 'alice', parley: { rooms: ['bob'] } }))).toBe('in')
    expect(await tryToken(room('anybody'), await token({ sub: 'service', parley: { rooms: '*' } }))).toBe(
      'in',
    )
  })

  it('[A7] what is forged, unsigned, expired, without sub or exp, or not a token, is refused, saying which', async () => {
    const { room } = await serverWith({
      secret: SECRET,
      issuer: 'https://issuer.example',
      audience: 'parley',
    })
    const good = { sub: 'alice', iss: 'https://issuer.example', aud: 'parley' }
    const url = room('alice')
    expect(await tryToken(url, await token(good))).toBe('in')
    const other = new TextEncoder().encode('another secret of at least 32 characters')
    const bad: Array<[string, string]> = [
      ['not valid', await token(good, '1h', other)],
      ['not valid', new UnsecuredJWT(good).setExpirationTime('1h').encode()],
      ['not valid', 'nonsense'],
      ['not valid', `${await token(good)}x`],
      [
        'not valid',
        `${(await token({ ...good, sub: 'bob' })).replace(/\.[^.]*$/, '')}.${(await token(good)).split('.')[2]}`,
      ],
      ['not valid', `${(await token(good)).split('.').slice(0, 2).join('.')}.`],
      [
        'not valid',
        await new SignJWT(good).setProtectedHeader({ alg: 'HS512' }).setExpirationTime('1h').sign(key),
      ],
      ['expired', await token(good, Math.floor(Date.now() / 1000) - 60)],
      ['nbf', await token({ ...good, nbf: Math.floor(Date.now() / 1000) + 60 })],
      ['iss', await token({ ...good, iss: 'https://other.example' })],
      ['aud', await token({ ...good, aud: 'other' })],
      ['sub', await token({ iss: good.iss, aud: good.aud })],
      ['exp', await new SignJWT(good).setProtectedHeader({ alg: 'HS256' }).sign(key)],
    ]
    for (const [what, jwt] of bad) {
      const answer = await tryToken(url, jwt)
      expect(answer).toMatch(/^4401 /)
      expect(answer).toContain(what)
    }
  })

  it('[A7] keys come from the configured address: RS256, ES256 and EdDSA', async () => {
    const pairs = await Promise.all(
      ['RS256', 'ES256', 'EdDSA'].map(async (alg) => ({
        alg,
        ...(await generateKeyPair(alg, { extractable: true })),
      })),
    )
    const issuer = await publishKeys(() =>
      pairs.map(({ alg, publicKey }) => ({ alg, kid: alg, key: publicKey })),
    )
    const { room } = await serverWith({ jwksUrl: issuer.url })
    for (const { alg, privateKey } of pairs) {
      const jwt = await new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg, kid: alg, jku: 'http://127.0.0.1:1/keys' })
        .setExpirationTime('1h')
        .sign(privateKey)
      expect(await tryToken(room('alice'), jwt)).toBe('in')
    }
    for (let i = 0; i < 5; i++) {
      const { privateKey } = await generateKeyPair('ES256')
      const unknown = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', kid: `unknown ${i}` })
      expect(await tryToken(room('alice'), await unknown.setExpirationTime('1h').sign(privateKey))).toMatch(
        /^4401 /,
      )
    }
    expect(issuer.fetched()).toBe(1)
  })

  it('[A7] a token that brings or names its own key is checked with the configured ones all the same', async () => {
    const { privateKey: own, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const { privateKey: stranger, publicKey: strangers } = await generateKeyPair('RS256', {
      extractable: true,
    })
    const issuer = await publishKeys(() => [{ kid: 'own', alg: 'RS256', key: publicKey }])
    const attacker = await publishKeys(() => [{ kid: 'own', alg: 'RS256', key: strangers }])
    const { room } = await serverWith({ jwksUrl: issuer.url })
    const pem = await exportSPKI(publicKey)
    const sign = (header: object, by: Parameters<SignJWT['sign']>[0]): Promise<string> =>
      new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: 'RS256', kid: 'own', ...header })
        .setExpirationTime('1h')
        .sign(by)
    const names = { jku: attacker.url, x5u: attacker.url, jwk: await exportJWK(strangers), x5c: ['AAAA'] }
    expect(await tryToken(room('alice'), await sign(names, own))).toBe('in')
    for (const header of [{}, ...Object.entries(names).map(([name, value]) => ({ [name]: value })), names])
      expect(await tryToken(room('alice'), await sign(header, stranger))).toMatch(/^4401 /)
    const publicAsSecret = [pem, pem.trim(), JSON.stringify(await exportJWK(publicKey))]
    for (const text of publicAsSecret)
      expect(
        await tryToken(room('alice'), await sign({ alg: 'HS256' }, new TextEncoder().encode(text))),
      ).toMatch(/^4401 /)
    const { privateKey: pss } = await generateKeyPair('PS256')
    expect(await tryToken(room('alice'), await sign({ alg: 'PS256' }, pss))).toMatch(/^4401 /)
    expect(attacker.fetched()).toBe(0)
  })

  it('[A7] of the algorithms only those that were listed are taken', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const issuer = await publishKeys(() => [{ kid: 'a', alg: 'ES256', key: publicKey }])
    const jwt = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .setExpirationTime('1h')
      .sign(privateKey)
    const strict = await serverWith({ jwksUrl: issuer.url, algorithms: ['RS256'] })
    expect(await tryToken(strict.room('alice'), jwt)).toMatch(/^4401 /)
    const other = await serverWith({ jwksUrl: issuer.url, algorithms: ['RS256', 'ES256'] })
    expect(await tryToken(other.room('alice'), jwt)).toBe('in')
  })

  it('[A9] keys are fetched once in 30 s, whether they come, fail, or lack the one that is asked for', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    let works = false
    const issuer = await publishKeys(() => (works ? [{ kid: 'new', alg: 'ES256', key: publicKey }] : null))
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { room } = await serverWith({ jwksUrl: issuer.url })
    const sign = (kid: string): Promise<string> =>
      new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setExpirationTime('1h')
        .sign(privateKey)
    const good = await sign('new')
    for (let i = 0; i < 5; i++) expect(await tryToken(room('alice'), good)).toMatch(/^4503 /)
    expect(issuer.fetched()).toBe(1)
    works = true
    vi.advanceTimersByTime(31_000)
    expect(await tryToken(room('alice'), good)).toBe('in')
    for (let i = 0; i < 5; i++)
      expect(await tryToken(room('alice'), await sign(`unknown ${i}`))).toMatch(/^4401 /)
    expect(issuer.fetched()).toBe(2)
    vi.advanceTimersByTime(31_000)
    expect(await tryToken(room('alice'), await sign('unknown'))).toMatch(/^4401 /)
    expect(await tryToken(room('alice'), await sign('unknown'))).toMatch(/^4401 /)
    expect(issuer.fetched()).toBe(3)
  })

  it('[A9] keys that do not end are not read to the end', async () => {
    let sent = 0
    const issuer = createHttpServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      const write = (): void => {
        while (!response.destroyed) {
          sent += 65_536
          if (!response.write(' '.repeat(65_536))) break
        }
      }
      response.on('drain', write)
      write()
    })
    const url = await listen(issuer)
    const { room } = await serverWith({ jwksUrl: url })
    const { privateKey } = await generateKeyPair('ES256')
    const jwt = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('1h')
      .sign(privateKey)
    expect(await tryToken(room('alice'), jwt)).toMatch(/^4503 /)
    // What the sockets of both sides hold is sent too.
    expect(sent).toBeLessThan(32 * 1024 * 1024)
  })

  it('[A3] where the keys cannot be had, or are behind a redirect, the client may try again', async () => {
    const issuer = createHttpServer((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/keys' }).end()
    })
    const { room } = await serverWith({ jwksUrl: await listen(issuer) })
    const { privateKey } = await generateKeyPair('ES256')
    const jwt = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('1h')
      .sign(privateKey)
    expect(await tryToken(room('alice'), jwt)).toMatch(new RegExp(`^${CLOSE_CODES.storeUnavailable} `))
  })

  it('[A7] lets callers by HTTP in the same way, as themselves or as a service', async () => {
    const { url } = await serverWith({ secret: SECRET })
    const sync = async (jwt: string, body: object): Promise<number> => {
      const { status } = await fetch(`${url}/conversation/sync`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${jwt}` },
        body: JSON.stringify({ version: 0, msg_count: 1, ...body }),
      })
      return status
    }
    const alice = await token({ sub: 'alice' })
    expect(await sync(alice, { uid: 'alice' })).toBe(200)
    expect(await sync(alice, { uid: 'bob' })).toBe(403)
    expect(await sync(await token({ sub: 'im', parley: { rooms: '*' } }), { uid: 'bob' })).toBe(200)
    expect(await sync('nonsense', { uid: 'alice' })).toBe(401)
  })

  it('[A8] a connection ends with its token', async () => {
    const { room } = await serverWith({ secret: SECRET })
    // Within the tolerance for clocks, so that it gets in at all.
    const jwt = await token({ sub: 'alice' }, Math.floor(Date.now() / 1000) + 1)
    const client = await connectRaw(room('alice'), { protocols: [SUBPROTOCOL, `parley.token.${jwt}`] })
    await client.frame(() => true)
    const { code, reason } = await client.closed
    expect(code).toBe(CLOSE_CODES.unauthenticated)
    expect(reason).toContain('expired')
  })

  it.each<[string, JwtOptions]>([
    ['neither a secret nor keys', {}],
    ['both', { secret: SECRET, jwksUrl: 'https://issuer.example/keys' }],
    ['a short secret', { secret: 'short' }],
    ['keys over plain http', { jwksUrl: 'http://issuer.example/keys' }],
    ['no address', { jwksUrl: 'keys' }],
    [
      'an algorithm that is none of these',
      { jwksUrl: 'https://issuer.example/keys', algorithms: ['none' as 'RS256'] },
    ],
    ['algorithms with a secret', { secret: SECRET, algorithms: ['RS256'] }],
  ])('[A7] refuses settings with %s', (_name, options) => {
    expect(() => createJwtAuthenticate(options)).toThrow(/secret|keys|algorithms/i)
  })
})
