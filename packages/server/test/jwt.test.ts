import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CLOSE_CODES, SUBPROTOCOL } from '@parley/core'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
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
      ['expired', await token(good, Math.floor(Date.now() / 1000) - 60)],
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

  it('[A7] keys come from the configured address: RS256, ES256 and EdDSA, and no shared secret among them', async () => {
    const pairs = await Promise.all(
      ['RS256', 'ES256', 'EdDSA'].map(async (alg) => ({
        alg,
        ...(await generateKeyPair(alg, { extractable: true })),
      })),
    )
    const keys = await Promise.all(
      pairs.map(async ({ alg, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        alg,
        kid: alg,
        use: 'sig',
      })),
    )
    let fetched = 0
    const issuer = createHttpServer((_request, response) => {
      fetched++
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys }))
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void issuer.close())
    const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
    const { room } = await serverWith({ jwksUrl })
    for (const { alg, privateKey } of pairs) {
      const jwt = await new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg, kid: alg, jku: 'http://127.0.0.1:1/keys' })
        .setExpirationTime('1h')
        .sign(privateKey)
      expect(await tryToken(room('alice'), jwt)).toBe('in')
    }
    const publicBytes = new TextEncoder().encode(JSON.stringify(keys[0]))
    const confused = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256', kid: 'RS256' })
      .setExpirationTime('1h')
      .sign(publicBytes)
    expect(await tryToken(room('alice'), confused)).toMatch(/^4401 /)
    for (let i = 0; i < 5; i++) {
      const { privateKey } = await generateKeyPair('ES256')
      const unknown = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', kid: `unknown ${i}` })
      expect(await tryToken(room('alice'), await unknown.setExpirationTime('1h').sign(privateKey))).toMatch(
        /^4401 /,
      )
    }
    expect(fetched).toBe(1)
  })

  it('[A3] where the keys cannot be had, or are behind a redirect, the client may try again', async () => {
    const issuer = createHttpServer((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/keys' }).end()
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void issuer.close())
    const { room } = await serverWith({
      jwksUrl: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`,
    })
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
