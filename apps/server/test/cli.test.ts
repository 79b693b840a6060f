import { createHmac } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATA, newFolder, parley, serve } from './support/parley.js'

const TSDD = join(DATA, 'conversation-sync.tsdd.json')
const WUKONGIM = join(DATA, 'conversation-sync.wukongim.json')
const MESSAGES = join(DATA, 'messages.ndjson.gz')

describe('the command line', () => {
  it('[C1] is a program that says what it does not understand, and tells so by its exit code', async () => {
    expect((await parley(['--help'])).code).toBe(0)
    const { code, out, err } = await parley(['serve', '--prot', '80'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('--prot')
  })

  it('[C1] takes messages in by HTTP from who knows the token it was given', {
    timeout: 30_000,
  }, async () => {
    const folder = await newFolder()
    const { url, stop } = await serve(folder, [], { PARLEY_INGEST_TOKEN: 'a-token-of-an-IM-server' })
    const message = {
      channel_id: 'bob',
      channel_type: 1,
      message_seq: 1,
      from_uid: 'bob',
      timestamp: 1204353600,
    }
    const ingest = (authorization: string): Promise<Response> =>
      fetch(`${url}/v1/ingest/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ messages: [message], recipients: ['alice'] }),
      })
    expect((await ingest('Bearer guessed')).status).toBe(401)
    expect((await ingest('Bearer a-token-of-an-IM-server')).status).toBe(200)
    await stop('SIGTERM')
    const exported = await parley(['export', '--user', 'alice', '--data', folder])
    expect(JSON.parse(exported.out).conversations).toMatchObject([
      { channel: { channelId: 'bob' }, unread: 1 },
    ])
  })

  it('[G9] tells the WuKongIM server it was given of changes, and of the last ones when it stops', {
    timeout: 30_000,
  }, async () => {
    const posted: string[] = []
    const im = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const { channel_id, payload } = JSON.parse(text)
      const { cmd } = JSON.parse(Buffer.from(payload, 'base64').toString())
      posted.push(`${request.headers.token} ${request.url} ${channel_id} ${cmd}`)
      response.end('{"status":200}')
    })
    await new Promise<void>((resolve) => im.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void im.close())
    const { port } = im.address() as AddressInfo
    const { url, stop } = await serve(await newFolder(), [], {
      PARLEY_WUKONG_URL: `http://127.0.0.1:${port}`,
      PARLEY_WUKONG_TOKEN: 'managers',
    })
    const post = async (path: string, body: object): Promise<void> => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' } }
      expect((await fetch(url + path, { ...options, body: JSON.stringify(body) })).status).toBe(200)
    }
    const channel = { channel_id: 'bob', channel_type: 1 }
    const message = { ...channel, message_seq: 1, from_uid: 'bob', timestamp: 1204353600 }
    await post('/v1/ingest/messages', { messages: [message], recipients: ['alice'] })
    await post('/conversation/sync', { uid: 'alice', msg_count: 1 })
    await post('/conversations/delete', { uid: 'alice', ...channel })
    expect(await stop('SIGTERM')).toBe(0)
    expect(posted).toEqual([
      'managers /message/send alice conversationDeleted',
      'managers /message/send alice conversationDelete',
    ])
    const { code, err } = await parley(['serve', '--port', '0', '--data', await newFolder()], {
      env: { PARLEY_WUKONG_URL: 'localhost:5001' },
    })
    expect([code, err]).toEqual([1, expect.stringContaining('PARLEY_WUKONG_URL')])
  })

  it('[C2] imports, exports and inspects without a server', { timeout: 30_000 }, async () => {
    const [a, b] = [await newFolder(), await newFolder()]
    const imported = await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', a])
    expect(imported).toMatchObject({ code: 0, out: '' })
    expect(imported.err).toContain('64 conversations, 160 messages')
    await parley(['import', '--create', WUKONGIM, '--user', 'Pici'], { env: { PARLEY_DATA: b } })
    const exported = await parley(['export', '--readable', '--user', 'Pici', '--data', a])
    expect(exported.code).toBe(0)
    const other = await parley(['export', '--readable', '--user', 'Pici', '--data', b])
    // Servers write the bytes of payloads differently.
    const withoutBytes = (text: string): unknown =>
      JSON.parse(text, (name, value) => (/^payload_(order|base64)$/.test(name) ? undefined : value))
    const read = (text: string): string =>
      JSON.stringify(withoutBytes(text)).replaceAll(/"extra":\{\},?/g, '')
    expect(read(other.out)).toBe(read(exported.out))
    expect(JSON.parse(exported.out)).toMatchObject({ userId: 'Pici' })
    const inspected = await parley(['inspect', '--user', 'Pici', '--data', a])
    expect(JSON.parse(inspected.out)).toMatchObject({
      uid: 'Pici',
      version: 1,
      epoch: 0,
      conversations: 64,
      quarantined: [],
    })
    const nobody = await parley(['inspect', '--user', 'nobody', '--data', a])
    expect([nobody.code, nobody.err]).toEqual([1, `parley: Nothing is stored of nobody in ${a}\n`])
  })

  it('[A14] revokes tokens, through the server that runs or without one', { timeout: 30_000 }, async () => {
    const secret = 'a secret of at least 32 characters'
    const data = await newFolder()
    const env = { PARLEY_AUTH: 'jwt', PARLEY_JWT_SECRET: secret }
    const tokenOf = (sub: string): string => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      const now = Math.floor(Date.now() / 1000)
      const text = `${part({ alg: 'HS256' })}.${part({ sub, iat: now - 60, exp: now + 600 })}`
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    }
    const users = ['alice', 'bob', 'carol']
    const tokens = users.map(tokenOf)
    const askAll = (url: string): Promise<number[]> =>
      Promise.all(
        users.map(async (uid, index) => {
          const headers = { 'content-type': 'application/json', token: tokens[index] ?? '' }
          const body = JSON.stringify({ uid, msg_count: 1 })
          return (await fetch(`${url}/conversation/sync`, { method: 'POST', headers, body })).status
        }),
      )
    const first = await serve(data, [], env)
    expect(await askAll(first.url)).toEqual([200, 200, 200])
    const revoked = await parley(['revoke', '--user', 'alice', '--data', data])
    expect(revoked).toMatchObject({ code: 0, err: expect.stringContaining('Tokens of alice') })
    expect(await askAll(first.url)).toEqual([401, 200, 200])
    await first.stop('SIGTERM')
    expect((await parley(['revoke', '--user', 'bob', '--data', data])).code).toBe(0)
    const long = ['revoke', '--user', 'carol', '--before', '2026-01-31T12:00:00Z', '--data', data]
    expect((await parley(long)).err).toContain('before 2026-01-31T12:00:00.000Z')
    const second = await serve(data, [], env)
    expect(await askAll(second.url)).toEqual([401, 401, 200])
    for (const [args, names] of [
      [[], '--user'],
      [['--user', 'alice', '--before', 'yesterday'], '--before'],
      [['--user', 'alice', '--before', '2199-01-01'], 'before must be'],
    ] as const) {
      const { code, err } = await parley(['revoke', ...args, '--data', data])
      expect([code, err]).toEqual([1, expect.stringContaining(names)])
    }
  })

  it('[C2] takes the same from standard input and gzipped', { timeout: 30_000 }, async () => {
    const [a, b] = [await newFolder(), await newFolder()]
    const input = await readFile(TSDD, 'utf8')
    await parley(['import', '--create', '-', '--user', 'Pici', '--data', a], { input })
    await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', b])
    const [first, second] = await Promise.all(
      [a, b].map((data) => parley(['export', '--readable', '--user', 'Pici', '--data', data])),
    )
    expect(first?.out).toBe(second?.out)
    const gzipped = await parley([
      'import',
      '--create',
      MESSAGES,
      '--user',
      'Pici',
      '--data',
      await newFolder(),
    ])
    expect(gzipped.err).toContain('11833 messages, 4811 of others')
  })

  it('[C3] works through the server that has the folder open, with the same results', {
    timeout: 30_000,
  }, async () => {
    const data = await newFolder()
    const serving = await serve(data)
    const socket = join(data, 'control.sock')
    expect((await stat(socket)).mode & 0o777).toBe(0o600)
    await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', data])
    const through = await parley(['export', '--user', 'Pici', '--data', data])
    expect(JSON.parse(through.out).conversations).toHaveLength(64)
    const inspected = await parley(['inspect', '--user', 'Pici', '--data', data])
    expect(JSON.parse(inspected.out)).toMatchObject({ version: 1, conversations: 64 })
    const bad = await parley(['import', '--create', '-', '--user', 'Pici', '--data', data], {
      input: '[{"channel_id":""}]',
    })
    expect([bad.code, bad.err]).toEqual([
      1,
      'parley: conversations[0].channel_id must be a string of 1 to 200 characters\n',
    ])
    expect(await serving.stop('SIGTERM')).toBe(0)
    await expect(stat(socket)).rejects.toThrow()
    expect((await parley(['export', '--user', 'Pici', '--data', data])).out).toBe(through.out)
  })

  it('[C3] is not held up by a socket that a killed server left', { timeout: 30_000 }, async () => {
    const data = await newFolder()
    const serving = await serve(data)
    await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', data])
    await serving.stop('SIGKILL')
    expect((await stat(join(data, 'control.sock'))).isSocket()).toBe(true)
    expect((await parley(['export', '--user', 'Pici', '--data', data])).code).toBe(0)
    const again = await serve(data)
    expect((await parley(['export', '--user', 'Pici', '--data', data])).code).toBe(0)
    await again.stop('SIGTERM')
  })

  it('[C3] finds the server of a folder whose path is too long for a socket', {
    timeout: 30_000,
  }, async () => {
    const data = join(await newFolder(), 'd'.repeat(120), 'e'.repeat(60))
    await mkdir(data, { recursive: true })
    const serving = await serve(data)
    const { socket } = JSON.parse(await readFile(join(data, 'control.json'), 'utf8'))
    expect(socket).not.toContain(data)
    expect((await stat(socket)).mode & 0o777).toBe(0o600)
    expect((await stat(join(socket, '..'))).mode & 0o777).toBe(0o700)
    expect((await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', data])).err).toContain(
      '64 conversations',
    )
    await serving.stop('SIGTERM')
    await expect(stat(join(socket, '..'))).rejects.toThrow()
  })

  it('[C4] refuses bad input, naming the member, with exit code 1 and nothing changed', {
    timeout: 30_000,
  }, async () => {
    const data = await newFolder()
    await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', data])
    const before = await parley(['export', '--user', 'Pici', '--data', data])
    const conversation = { channel_id: 'x', channel_type: 1, last_msg_seq: 1 }
    const inputs: Array<[input: string, names: string]> = [
      ['no JSON', 'The file must be JSON'],
      ['{"a":1}', 'The file must be a list of conversations'],
      [
        JSON.stringify([conversation, { ...conversation, channel_type: 1.5 }]),
        'conversations[1].channel_type must be an integer',
      ],
      [
        JSON.stringify([conversation, { ...conversation, channel_id: '' }]),
        'conversations[1].channel_id must be a string',
      ],
      [
        JSON.stringify([conversation, { ...conversation, last_msg_seq: -1 }]),
        'conversations[1].last_msg_seq must be an integer',
      ],
    ]
    for (const [input, names] of inputs) {
      const { code, err } = await parley(['import', '--create', '-', '--user', 'Pici', '--data', data], {
        input,
      })
      expect(code).toBe(1)
      expect(err).toContain(`parley: ${names}`)
    }
    const other = await parley(['import', '--create', TSDD, '--user', 'bob', '--data', data])
    expect([other.code, other.err]).toEqual([
      1,
      'parley: uid is "Pici"; these are not conversations of bob\n',
    ])
    const missing = await parley([
      'import',
      '--create',
      join(data, 'missing.json'),
      '--user',
      'Pici',
      '--data',
      data,
    ])
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('missing.json cannot be read')])
    expect((await parley(['export', '--user', 'Pici', '--data', data])).out).toBe(before.out)
  })

  it('[HTTP6] imports a message whose payload is too large without what is too much', {
    timeout: 30_000,
  }, async () => {
    const data = await newFolder()
    const recent = {
      message_seq: 1,
      from_uid: 'x',
      channel_id: 'x',
      channel_type: 1,
      timestamp: 1,
      payload: { content: 'x'.repeat(2_000_000) },
    }
    const input = JSON.stringify([{ channel_id: 'x', channel_type: 1, last_msg_seq: 1, recents: [recent] }])
    const { code, err } = await parley(['import', '--create', '-', '--user', 'Pici', '--data', data], {
      input,
    })
    expect([code, err.includes('Error')]).toEqual([0, false])
    const { out } = await parley(['export', '--user', 'Pici', '--data', data])
    expect(out.length).toBeLessThan(10_000)
    expect(out).toContain('"truncated": true')
  })
})

describe('parley serve', () => {
  it('[C5] takes its settings from flags first, then from variables', { timeout: 20_000 }, async () => {
    const [flag, variable] = [await newFolder(), await newFolder()]
    const serving = await serve(flag, ['--host', '127.0.0.2'], {
      PARLEY_DATA: variable,
      PARLEY_HOST: '127.0.0.3',
    })
    expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.2:\d+$/)
    expect((await fetch(`${serving.url}/readyz`)).status).toBe(200)
    expect((await stat(join(flag, 'log'))).isDirectory()).toBe(true)
    await expect(stat(join(variable, 'log'))).rejects.toThrow()
    const origin = { origin: 'https://chat.example.org' }
    expect((await fetch(`${serving.url}/healthz`, { headers: origin })).status).toBe(403)
    await serving.stop('SIGTERM')
    const allowing = await serve(flag, [], { PARLEY_ORIGINS: 'https://a.example, https://chat.example.org' })
    expect((await fetch(`${allowing.url}/healthz`, { headers: origin })).status).toBe(200)
    await allowing.stop('SIGTERM')
  })

  it('[C5] serves a web app and keeps nothing when it is told so', { timeout: 20_000 }, async () => {
    const folder = await newFolder()
    const web = join(folder, 'web')
    await mkdir(web)
    await writeFile(join(web, 'index.html'), '<title>Parley</title>')
    const serving = await serve(join(folder, 'data'), ['--store', 'memory', '--web', web])
    expect(await (await fetch(serving.url)).text()).toContain('Parley')
    await serving.stop('SIGTERM')
    await expect(stat(join(folder, 'data'))).rejects.toThrow()
  })

  it('[C6] says why it does not start, and exits with 1', { timeout: 30_000 }, async () => {
    const data = await newFolder()
    const serving = await serve(data)
    const { port } = new URL(serving.url)
    const second = await parley(['serve', '--port', '0', '--data', data])
    expect(second.code).toBe(1)
    expect(second.err).toBe(`parley: The data folder ${data} is in use by process ${serving.child.pid}\n`)
    const taken = await parley(['serve', '--port', port, '--data', await newFolder()])
    expect([taken.code, taken.err]).toEqual([1, expect.stringContaining('EADDRINUSE')])
    const open = await parley(['serve', '--host', '0.0.0.0', '--data', await newFolder()])
    expect([open.code, open.err]).toEqual([1, expect.stringContaining('loopback')])
    const web = await parley(['serve', '--port', '0', '--web', '/nonexistent', '--data', await newFolder()])
    expect([web.code, web.err]).toEqual([1, expect.stringContaining('no index.html')])
    // The first one still works, and is still alone.
    expect((await fetch(`${serving.url}/readyz`)).status).toBe(200)
    await serving.stop('SIGTERM')
  })

  it('[C7] survives connections that are torn at any point', { timeout: 20_000 }, async () => {
    const serving = await serve(await newFolder())
    const { port, host } = new URL(serving.url)
    const upgrade = `GET /sync/alice HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
    const frame = Buffer.from([0x82, 0x85, 1, 2, 3, 4, 1, 2, 3, 4, 1])
    const whole = Buffer.concat([Buffer.from(upgrade), frame, frame])
    for (let cut = 1; cut <= whole.length; cut += 7) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(whole.subarray(0, cut))
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (cut % 2) socket.resetAndDestroy()
      else socket.destroy()
    }
    for (const bad of ['', 'Sec-WebSocket-Version: 7\r\n', 'Sec-WebSocket-Key: short\r\n']) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => {})
      socket.end(
        `GET /sync/alice HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${bad}\r\n`,
      )
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
    }
    expect((await fetch(`${serving.url}/readyz`)).status).toBe(200)
    expect(await serving.stop('SIGTERM')).toBe(0)
  })
})
