import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { openLevelLog } from '@parley/server'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { SECRETS, withSecretFiles } from '../src/secretFiles.js'
import { newFolder, parley, serve } from './support/parley.js'

const CONVERSATIONS = JSON.stringify([{ channel_id: 'secret-channel', channel_type: 1, last_msg_seq: 3 }])

async function secretFile(text: string, mode = 0o600): Promise<string> {
  const file = join(await newFolder(), 'secret')
  await writeFile(file, text)
  await chmod(file, mode)
  return file
}

describe('secrets in files', () => {
  it('[OPS3] are read without their last line feed, for every setting that is secret', async () => {
    const source = await readFile(new URL('../src/settings.ts', import.meta.url), 'utf8')
    const store = await readFile(new URL('../src/storeSettings.ts', import.meta.url), 'utf8')
    const named =
      `${source}${store}`.match(/PARLEY_[A-Z_]*(SECRET|TOKEN|DATABASE_URL|REDIS_URL)[A-Z_]*/g) ?? []
    for (const name of named) expect(SECRETS).toContain(name)
    for (const name of SECRETS) {
      for (const end of ['', '\n', '\r\n']) {
        const env = withSecretFiles({ [`${name}_FILE`]: await secretFile(`s3cret${end}`), PARLEY_PORT: '1' })
        expect([name, env[name], env.PARLEY_PORT]).toEqual([name, 's3cret', '1'])
      }
    }
  })

  it('[OPS3] are refused by name where others may read or change them, they are empty, or set twice', {
    timeout: 60_000,
  }, async () => {
    const name = 'PARLEY_JWT_SECRET'
    const cases: ReadonlyArray<[Record<string, string>, string]> = [
      [{ [`${name}_FILE`]: await secretFile('s', 0o644) }, 'other users may read'],
      [{ [`${name}_FILE`]: await secretFile('s', 0o622) }, 'other users may write'],
      [{ [`${name}_FILE`]: await secretFile('\n') }, 'is empty'],
      [{ [`${name}_FILE`]: await secretFile('a\nb\n') }, 'more than one line'],
      [{ [`${name}_FILE`]: await secretFile(' s') }, 'begins or ends with a space'],
      [{ [`${name}_FILE`]: '/nowhere/secret' }, 'cannot be read (ENOENT)'],
      [{ [`${name}_FILE`]: await secretFile('s'), [name]: 't' }, 'are both set'],
    ]
    for (const [env, message] of cases) {
      expect(() => withSecretFiles(env)).toThrow(message)
      const { code, err } = await parley(['serve', '--auth', 'jwt', '--data', join(await newFolder(), 'd')], {
        env,
      })
      expect([code, err]).toEqual([1, expect.stringContaining(message)])
      expect(err).toContain(name)
    }
  })
})

describe('the audit log', () => {
  it('[OPS4] has a line for each administrative act, with who, when, what and the result, and no content', {
    timeout: 120_000,
  }, async () => {
    const data = join(await newFolder(), 'data')
    const backup = join(await newFolder(), 'backup')
    const run = (args: string[], input?: string) =>
      parley([...args, '--data', data], input === undefined ? {} : { input })
    await run(['import', '--create', '--user', 'alice'], CONVERSATIONS)
    await run(['import', '--user', 'alice'], 'no JSON')
    await run(['export', '--user', 'alice'])
    const serving = await serve(data)
    await run(['revoke', '--user', 'alice', '--device', 'phone'])
    await run(['backup', backup])
    await serving.stop('SIGTERM')
    const store = await openLevelLog({ folder: data })
    await store.append('bob', new Uint8Array([9, 9, 9]))
    await store.append('bob', new Uint8Array([0, 0]))
    await store.close()
    // The server decides what goes into quarantine when it loads the room.
    const again = await serve(data)
    await run(['inspect', '--user', 'bob'])
    await run(['forget', '--user', 'alice'])
    await again.stop('SIGTERM')
    await run(['verify', '--repair'])
    const path = join(data, 'audit.jsonl')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const text = await readFile(path, 'utf8')
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ action, user, result }) => [action, user, result])).toEqual([
      ['import', 'alice', 'ok'],
      ['import', 'alice', 'failed'],
      ['export', 'alice', 'ok'],
      ['revoke', 'alice', 'ok'],
      ['backup', undefined, 'ok'],
      ['quarantine', 'bob', 'ok'],
      ['forget', 'alice', 'ok'],
      ['repair', undefined, 'ok'],
    ])
    for (const { time, by } of lines) {
      expect(Math.abs(Date.now() - Date.parse(time))).toBeLessThan(600_000)
      expect(by).toMatchObject({
        user: expect.any(String),
        host: expect.any(String),
        pid: expect.any(Number),
      })
    }
    expect(lines[3].detail).toMatchObject({ device: 'phone' })
    expect(lines[5].detail).toMatchObject({ versions: [1] })
    expect(text).not.toContain('secret-channel')
    const elsewhere = join(await newFolder(), 'audit.jsonl')
    const restored = join(await newFolder(), 'restored')
    await parley(['restore', backup, '--data', restored], { env: { PARLEY_AUDIT_LOG: elsewhere } })
    expect(JSON.parse(await readFile(elsewhere, 'utf8'))).toMatchObject({ action: 'restore', result: 'ok' })
  })
})

describe('TLS', () => {
  const certificate = async (name: string): Promise<{ cert: string; key: string }> => {
    const made = await generate([{ name: 'commonName', value: name }], { keySize: 2048, algorithm: 'sha256' })
    return { cert: made.cert, key: made.private }
  }
  const nameOf = (url: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url)
      const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.on('error', reject)
    })

  it('[OPS5] is spoken with a certificate of its own, for HTTP and WebSockets, and another one is taken on SIGHUP', {
    timeout: 60_000,
  }, async () => {
    const folder = await newFolder()
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const first = await certificate('first')
    await writeFile(cert, first.cert)
    await writeFile(key, first.key)
    const { url, child, log, stop } = await serve(
      join(folder, 'data'),
      ['--tls-cert', cert, '--tls-key', key],
      {
        PARLEY_LOG_LEVEL: 'info',
      },
    )
    expect(url).toMatch(/^https:/)
    expect(await nameOf(url)).toBe('first')
    await expect(fetch(url.replace('https', 'http'))).rejects.toThrow()
    const socket = new WebSocket(`${url.replace('https', 'wss')}/sync/alice`, ['parley.1'], {
      rejectUnauthorized: false,
    })
    await new Promise((resolve, reject) => {
      socket.on('open', resolve)
      socket.on('error', reject)
    })
    const waitFor = async (what: string): Promise<void> => {
      for (let n = 0; n < 200 && !log().includes(what); n++) await delay(50)
      expect(log()).toContain(what)
    }
    const second = await certificate('second')
    await writeFile(cert, second.cert)
    child.kill('SIGHUP')
    // The key is not its own: the first one stays.
    await waitFor('the server goes on with the earlier one')
    expect(await nameOf(url)).toBe('first')
    await writeFile(key, second.key)
    child.kill('SIGHUP')
    await waitFor('the certificate was loaded again')
    expect(await nameOf(url)).toBe('second')
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.terminate()
    expect(await stop('SIGTERM')).toBe(0)
  })

  it('[OPS5] is refused by name where a file is missing or no certificate', { timeout: 30_000 }, async () => {
    const folder = await newFolder()
    const cert = join(folder, 'cert.pem')
    const { code, err } = await parley(['serve', '--tls-cert', cert, '--data', join(folder, 'data')])
    expect([code, err]).toEqual([1, expect.stringContaining('--tls-key is missing')])
    const missing = await parley([
      'serve',
      '--tls-cert',
      cert,
      '--tls-key',
      cert,
      '--data',
      join(folder, 'data'),
    ])
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining(`${cert} cannot be read`)])
    await writeFile(cert, 'no certificate')
    const wrong = await parley([
      'serve',
      '--tls-cert',
      cert,
      '--tls-key',
      cert,
      '--data',
      join(folder, 'data'),
    ])
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('are no certificate and its key')])
  })
})
