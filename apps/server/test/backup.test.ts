import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { DATA, newFolder, parley, type Serving, serve } from './support/parley.js'

const TSDD = join(DATA, 'conversation-sync.tsdd.json')

/** A folder with one user in it. */
async function newData(): Promise<string> {
  const data = await newFolder()
  expect((await parley(['import', '--create', TSDD, '--user', 'Pici', '--data', data])).code).toBe(0)
  return data
}

async function exported(data: string): Promise<string> {
  return (await parley(['export', '--user', 'Pici', '--data', data])).out
}

function connect(
  { url }: Serving,
  uid: string,
): { doc: Y.Doc; provider: WebsocketProvider; codes: number[] } {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${url.replace('http', 'ws')}/sync`, uid, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  })
  const codes: number[] = []
  provider.on('connection-close', (event) => {
    if (event) codes.push(event.code)
  })
  return { doc, provider, codes }
}

describe('backup, restore, verify, forget', () => {
  it('[C8] back up a running server and restore into another folder, where it goes on', {
    timeout: 180_000,
  }, async () => {
    const [data, elsewhere] = [await newData(), await newFolder()]
    const serving = await serve(data)
    const backup = join(elsewhere, 'backup')
    const written = await parley(['backup', backup, '--data', data])
    expect([written.code, written.out]).toEqual([0, ''])
    expect(written.err).toContain('1 users, 1 updates')
    expect((await readdir(backup)).sort()).toEqual(['manifest.json', 'rooms.ndjson.gz'])
    const again = await parley(['backup', backup, '--data', data])
    expect([again.code, again.err]).toEqual([1, `parley: ${backup} is not empty\n`])
    const refused = await parley(['restore', backup, '--data', data])
    expect([refused.code, refused.err]).toEqual([
      1,
      `parley: A server has ${data} open; stop it to restore into that folder\n`,
    ])
    await serving.stop('SIGTERM')
    const occupied = await parley(['restore', backup, '--data', data])
    expect([occupied.code, occupied.err]).toMatchObject([
      1,
      expect.stringContaining('holds something already'),
    ])
    const restored = join(elsewhere, 'data')
    expect((await parley(['restore', backup, '--data', restored])).code).toBe(0)
    expect(await exported(restored)).toBe(await exported(data))
    const { version } = JSON.parse((await parley(['inspect', '--user', 'Pici', '--data', restored])).out)
    expect(version).toBeGreaterThan(1e15)
    expect((await parley(['verify', '--data', restored])).code).toBe(0)
    await serve(restored)
  })

  it('[C8] tell what is damaged with exit code 1, and save what is sound', { timeout: 180_000 }, async () => {
    const data = await newData()
    const before = await exported(data)
    expect((await parley(['verify', '--data', data])).code).toBe(0)
    const missing = await parley(['verify', '--data', join(data, 'nowhere')])
    expect([missing.code, missing.err]).toMatchObject([1, expect.stringContaining('There is no data folder')])
    const serving = await serve(data)
    const running = await parley(['verify', '--data', data])
    expect([running.code, JSON.parse(running.out)]).toMatchObject([0, { sound: true, rooms: 1 }])
    expect((await parley(['verify', '--repair', '--data', data])).code).toBe(1)
    await serving.stop('SIGTERM')
    const files = await readdir(join(data, 'log'))
    const table = join(data, 'log', files.filter((name) => name.endsWith('.ldb')).at(-1) ?? '')
    await truncate(table, Math.floor((await stat(table)).size / 2))
    const found = await parley(['verify', '--data', data])
    expect([found.code, JSON.parse(found.out)]).toMatchObject([1, { sound: false, files: [{ torn: false }] }])
    await expect(serve(data)).rejects.toThrow('parley verify')
    const repaired = await parley(['verify', '--repair', '--data', data])
    expect(JSON.parse(repaired.out)).toMatchObject({ found: { sound: false }, copy: expect.any(String) })
    expect((await readdir(data)).some((name) => name.startsWith('log.damaged-'))).toBe(true)
    const state = await exported(data)
    // One table held all of it: either it is all there or the room is unknown, never a part without a word.
    if (JSON.parse(state).conversations.length > 0) expect(state).toBe(before)
    else expect(repaired.code === 0 || repaired.out.includes('Pici')).toBe(true)
  })

  it('[C8] forget a user whom a server serves, byte for byte', { timeout: 180_000 }, async () => {
    const data = await newData()
    const serving = await serve(data)
    const { doc, provider, codes } = connect(serving, 'alice')
    await new Promise<void>((resolve) => provider.once('sync', () => resolve()))
    const secret = randomBytes(48).toString('base64url')
    doc.getText('t').insert(0, secret)
    const holds = async (): Promise<boolean> => {
      const entries = await readdir(data, { recursive: true, withFileTypes: true })
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
      const contents = await Promise.all(files.map((file) => readFile(file).catch(() => Buffer.alloc(0))))
      return contents.some((bytes) => bytes.includes(secret.slice(4, -4)))
    }
    await expect.poll(holds).toBe(true)
    const forgotten = await parley(['forget', '--user', 'alice', '--data', data])
    expect(forgotten).toMatchObject({ code: 0, out: '', err: 'Forgot alice.\n' })
    expect(await holds()).toBe(false)
    await expect.poll(() => codes).toEqual([4403])
    expect((await parley(['inspect', '--user', 'alice', '--data', data])).code).toBe(1)
    expect(JSON.parse(await exported(data)).conversations).toHaveLength(64)
    provider.destroy()
    await serving.stop('SIGTERM')
    expect(await holds()).toBe(false)
  })
})
