import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSourceCheck } from '../src/access/origins.js'
import { createApp } from '../src/http/app.js'
import { createMemoryLog, createServer, defaultTiming, silentLogger } from '../src/index.js'
import { type Running, startServer } from './support/harness.js'
import { rawRequest, rawUpgrade } from './support/rawHttp.js'

const SYNC_STEP_1_SENT = { status: 101, protocol: undefined }

/** Asks by WebSocket and by HTTP; both must answer alike. */
async function ask(
  { port }: Running,
  host: string | null,
  origin?: string,
): Promise<'answered' | 'refused' | string> {
  const headers = {
    ...(host === null ? {} : { Host: host }),
    ...(origin === undefined ? {} : { Origin: origin }),
  }
  const upgraded = await rawUpgrade(port, '/sync/alice', headers)
  const requested = await rawRequest(port, [
    `GET /healthz HTTP/1.${host === null ? 0 : 1}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ])
  const webSocket =
    upgraded.close?.code === 4421 && upgraded.close.reason !== '' ? 'refused' : (upgraded.close ?? 'answered')
  const http = requested.status === 403 ? 'refused' : requested.status === 200 ? 'answered' : requested.status
  return webSocket === http ? webSocket : JSON.stringify({ webSocket, http })
}

async function webRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-web-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Parley</title>')
  await writeFile(join(folder, 'assets', 'index-abc123.js'), 'export {}')
  await writeFile(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(join(folder, '..', `outside-${folder.split('-').at(-1)}`), 'secret')
  onTestFinished(() => rm(join(folder, '..', `outside-${folder.split('-').at(-1)}`), { force: true }))
  return folder
}

describe('an open server', () => {
  it('[O1] refuses to start where others than this machine could reach it', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '']) {
      const start = createServer({ store: createMemoryLog(), auth: 'open', host })
      await expect(start).rejects.toMatchObject({ code: 'invalid-argument' })
    }
    for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) {
      const server = await createServer({ store: createMemoryLog(), auth: 'open', host, port: 0 })
      await server.close()
    }
  })

  it('[O2] answers under loopback names with its own port only, by WebSocket and HTTP alike', async () => {
    const running = await startServer()
    const { port } = running
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]', '127.1.2.3', 'a.localhost']) {
      expect([name, await ask(running, `${name}:${port}`)]).toEqual([name, 'answered'])
    }
    const strangers = [
      'evil.example',
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `127.0.0.1@evil.example:${port}`,
      `127.0.0.1:${port + 1}`,
      '127.0.0.1',
      'localhost',
      `0.0.0.0:${port}`,
      `10.0.0.1:${port}`,
      `evillocalhost:${port}`,
    ]
    for (const host of strangers) expect([host, await ask(running, host)]).toEqual([host, 'refused'])
  })

  it('[O2] refuses files and unknown addresses under another name as well', async () => {
    const { port } = await startServer({ webRoot: await webRoot() })
    for (const path of ['/', '/index.html', '/assets/index-abc123.js', '/c/2/ubuntu', '/v1/nothing']) {
      const ask = async (host: string): Promise<number> =>
        (await rawRequest(port, [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'Accept: text/html'])).status
      expect([path, await ask(`evil.example:${port}`)]).toEqual([path, 403])
      expect([path, await ask(`localhost:${port}`)]).toEqual([path, 200])
    }
  })

  it('[O2] refuses a request without Host', async () => {
    const running = await startServer()
    // HTTP/1.1 without Host is refused by Node itself.
    expect((await rawRequest(running.port, ['GET /healthz HTTP/1.0'])).status).toBe(403)
    expect(await rawUpgrade(running.port, '/sync/alice', { Host: '' })).toMatchObject({
      close: { code: 4421 },
    })
  })

  it('[O3] answers pages of its own and of allowed origins only, by WebSocket and HTTP alike', async () => {
    const running = await startServer({ origins: ['https://chat.example.org', 'http://localhost:5173/'] })
    const { port } = running
    const host = `127.0.0.1:${port}`
    const friends = [
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      'https://chat.example.org',
      'http://localhost:5173',
    ]
    for (const origin of friends)
      expect([origin, await ask(running, host, origin)]).toEqual([origin, 'answered'])
    const strangers = [
      'http://evil.example',
      `http://evil.example:${port}`,
      'http://chat.example.org',
      'https://chat.example.org.evil.example',
      'https://chat.example.org:444',
      'http://localhost:3000',
      `https://127.0.0.1:${port}`,
      'null',
      'file://',
      '',
    ]
    for (const origin of strangers)
      expect([origin, await ask(running, host, origin)]).toEqual([origin, 'refused'])
  })

  it('[O3] refuses origins that are none when it is created', async () => {
    for (const origin of [
      'chat.example.org',
      'https://chat.example.org/path',
      '*',
      'ftp://chat.example.org',
      'https://a:b@c.de',
    ]) {
      const start = createServer({ store: createMemoryLog(), auth: 'open', origins: [origin] })
      await expect(start).rejects.toThrow(origin)
    }
  })

  it('[O4] takes bodies of JSON only: a web page may send the others unasked', async () => {
    const app = await createApp({
      checkSource: () => null,
      clientAddress: () => undefined,
      isSecure: () => false,
      audit: () => {},
      admission: { request: () => 0 },
      timing: defaultTiming,
      webRoot: undefined,
      logger: silentLogger,
      checkReady: async () => {},
    })
    onTestFinished(() => app.close())
    app.post('/echo', async (request) => request.body)
    const post = async (type: string | undefined): Promise<number> => {
      const headers = type === undefined ? {} : { 'content-type': type }
      return (await app.inject({ method: 'POST', url: '/echo', headers, body: '{"a":1}' })).statusCode
    }
    expect(await post('application/json')).toBe(200)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'text/json',
      undefined,
    ]) {
      expect([type, await post(type)]).toEqual([type, 415])
    }
  })
})

describe('a server that authenticates', () => {
  it('[O5] answers under any name, to pages of that name and of allowed origins', async () => {
    const running = await startServer({
      auth: ({ uid = '' }) => ({ uid }),
      origins: ['https://app.example.org'],
    })
    expect(await ask(running, 'chat.example.org')).toBe('answered')
    expect(await ask(running, 'chat.example.org', 'https://chat.example.org')).toBe('answered')
    expect(await ask(running, 'chat.example.org', 'https://app.example.org')).toBe('answered')
    expect(await ask(running, 'chat.example.org', 'https://evil.example')).toBe('refused')
  })
})

describe('refusals', () => {
  it('[O6] accept the upgrade, then close with a code and a reason, and echo no subprotocol but parley.1', async () => {
    const { port } = await startServer()
    const host = { Host: `127.0.0.1:${port}` }
    const protocols = (value: string): Record<string, string> => ({
      ...host,
      'Sec-WebSocket-Protocol': value,
    })
    expect(await rawUpgrade(port, '/sync/alice', host)).toEqual(SYNC_STEP_1_SENT)
    expect(await rawUpgrade(port, '/sync/alice', protocols('graphql-ws, chat'))).toEqual({
      status: 101,
      protocol: undefined,
      close: { code: 4400, reason: 'offer parley.1 beside other subprotocols, or none' },
    })
    expect(await rawUpgrade(port, '/sync/alice', protocols('parley.token.abc'))).toEqual({
      status: 101,
      protocol: undefined,
      close: { code: 4400, reason: 'offer parley.1 beside a token, or none' },
    })
    expect(await rawUpgrade(port, '/nowhere', protocols('parley.token.abc, parley.1'))).toEqual({
      status: 101,
      protocol: 'parley.1',
      close: { code: 4404, reason: 'the address names no room' },
    })
  })

  it('[O6] cut a reason to what a close frame holds, at a character', async () => {
    const { port } = await startServer({
      auth: () => {
        throw Object.assign(new Error(), { name: 'x' })
      },
    })
    expect((await rawUpgrade(port, '/sync/alice', { Host: 'a' })).close).toEqual({
      code: 4503,
      reason: 'who you are could not be checked',
    })
    const { AccessError } = await import('../src/index.js')
    const long = await startServer({
      auth: () => {
        throw new AccessError('forbidden', 'ä'.repeat(200))
      },
    })
    const { close } = await rawUpgrade(long.port, '/sync/alice', { Host: 'a' })
    expect(close?.code).toBe(4403)
    expect(close?.reason).toMatch(/^ä{50,61}�?$/)
  })
})

describe('the web app', () => {
  it('[W1] is served with a policy that allows only its own scripts, files with a hash for ever, others never unasked', async () => {
    const { url } = await startServer({ webRoot: await webRoot() })
    const index = await fetch(url)
    expect(await index.text()).toContain('<title>Parley</title>')
    expect(index.headers.get('content-type')).toMatch(/^text\/html/)
    expect(index.headers.get('cache-control')).toBe('no-cache')
    const policy = index.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain(`connect-src 'self' ws://${new URL(url).host} wss://${new URL(url).host};`)
    expect(policy).not.toContain('unsafe')
    expect(index.headers.get('x-content-type-options')).toBe('nosniff')
    const script = await fetch(`${url}/assets/index-abc123.js`)
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('content-type')).toMatch(/javascript/)
    expect((await fetch(`${url}/icon.svg`)).headers.get('cache-control')).toBe('no-cache')
  })

  it('[W2] answers every address that a person opens, and no missing file, with its page', async () => {
    const { url } = await startServer({ webRoot: await webRoot() })
    const open = (path: string, accept: string): Promise<Response> =>
      fetch(url + path, { headers: { accept } })
    expect(await (await open('/c/2/ubuntu', 'text/html,*/*')).text()).toContain('Parley')
    expect((await open('/assets/index-old.js', '*/*')).status).toBe(404)
    expect((await open('/assets/index-old.js', 'text/html')).status).toBe(404)
    expect((await open('/v1/conversation/sync', 'application/json')).status).toBe(404)
    expect(
      (await fetch(`${url}/c/2/ubuntu`, { method: 'POST', headers: { accept: 'text/html' } })).status,
    ).toBe(404)
  })

  it('[W3] does not lead out of its folder', async () => {
    const root = await webRoot()
    const { port } = await startServer({ webRoot: root })
    const outside = `outside-${root.split('-').at(-1)}`
    for (const path of [
      `/../${outside}`,
      `/%2e%2e/${outside}`,
      `/..%2f${outside}`,
      `/assets/..%5c..%5c${outside}`,
      `//../${outside}`,
    ]) {
      const { body } = await rawRequest(port, [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`])
      expect([path, body.toString().includes('secret')]).toEqual([path, false])
    }
  })

  it('[W4] that is not there is said at once', async () => {
    const start = createServer({ store: createMemoryLog(), auth: 'open', webRoot: '/nonexistent' })
    await expect(start).rejects.toThrow('no index.html in /nonexistent')
  })
})

describe('health', () => {
  it('[H1] is alive while the process is, and ready while it can store', async () => {
    const store = createMemoryLog()
    const { url, server } = await startServer({ store, timing: { readyFreshMs: 0 } })
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' })
    store.check = () => Promise.reject(new Error('No space left on device'))
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const unready = await fetch(`${url}/readyz`)
    expect([unready.status, unready.headers.get('cache-control')]).toEqual([503, 'no-store'])
    await server.close()
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

describe('an open server with TLS', () => {
  it('[O3] answers pages of its own by https only, and leaves the port out where browsers do', () => {
    const check = createSourceCheck({ open: true, port: 4300, secure: true, origins: [] })
    expect(check({ host: 'localhost:4300', origin: 'https://localhost:4300' })).toBe(null)
    expect(check({ host: 'localhost:4300', origin: 'http://localhost:4300' })).not.toBe(null)
    const usual = createSourceCheck({ open: true, port: 443, secure: true, origins: [] })
    expect(usual({ host: 'localhost', origin: 'https://localhost' })).toBe(null)
    expect(usual({ host: 'localhost:80', origin: undefined })).not.toBe(null)
  })
})
