import { appendFileSync } from 'node:fs'
import { createMemoryLog, createServer, type Server } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type ClientStatus, databaseName } from '../../src/index.js'
import { startLine } from '../support/lineProxy.js'
import { servePages } from './pages.js'
import type { BrowserSettings, RemoteBrowser, RemotePage } from './remoteBrowser.js'

// Three browsers start on a machine that has other things to do.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 })

const until = <Result>(check: () => Promise<Result>, timeout = 20_000): Promise<Result> =>
  vi.waitFor(check, { timeout, interval: 100 })
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A token with characters that no subprotocol may have. */
const TOKEN = 'alice’s token, "quoted" / 100 %'

/** Writes until the browser refuses; resolves to the name of the error. What then still fits is less than a test writes. */
const FILL_DISK = `new Promise((resolve) => {
  const opening = indexedDB.open('filler')
  opening.onupgradeneeded = () => opening.result.createObjectStore('blobs', { autoIncrement: true })
  opening.onsuccess = () => {
    window.filler = opening.result
    const add = (left) => {
      const bytes = new Uint8Array(256 * 1024)
      for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
      const transaction = filler.transaction('blobs', 'readwrite')
      transaction.objectStore('blobs').add(bytes)
      transaction.oncomplete = () => left > 0 ? add(left - 1) : resolve('nothing')
      transaction.onabort = () => resolve(transaction.error.name)
    }
    add(200)
  }
})`

interface Framed {
  readonly status: ClientStatus
  readonly text: string
  readonly ticks: number
}

/** Shows in one browser each fault that a browser or a network brings, what the status says of it, and that the typed text survives. */
export function describeFaults(
  name: string,
  launch: () => Promise<RemoteBrowser>,
  /** Starts it as a user has set it, where its test browser has such settings. */
  launchSet: ((settings: BrowserSettings) => Promise<RemoteBrowser>) | null,
): void {
  let pages: Awaited<ReturnType<typeof servePages>>
  let browser: RemoteBrowser
  let server: Server
  let port = 0
  let users = 0
  const rows: Array<readonly [fault: string, cell: string]> = []
  /** What a line of the table says of this browser; `pnpm faults` prints them. */
  const note = (fault: string, cell: string): void => void rows.push([fault, cell])

  beforeAll(async () => {
    pages = await servePages()
    server = await createServer({
      port: 0,
      store: createMemoryLog(),
      origins: [pages.origin],
      timing: { drainMs: 0 },
      // Whose token it is stands at its beginning.
      auth: async ({ token, uid }) => {
        const { AccessError } = await import('@parley/server')
        if (token !== TOKEN) throw new AccessError('unauthenticated', 'the token is unknown')
        return { uid: uid ?? '' }
      },
    })
    const listening = await server.listen()
    port = listening.port
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.stop()
    await server?.close()
    await pages?.stop()
    const file = process.env.PARLEY_FAULTS_FILE
    if (file !== undefined) appendFileSync(file, `${JSON.stringify({ browser: name, rows })}\n`)
  })

  const syncUrl = () => `ws://127.0.0.1:${port}/sync`
  const newUser = () => `user ${++users}`
  const start = (page: RemotePage, options: object) => page.evaluate(`start(${JSON.stringify(options)})`)
  const type = (page: RemotePage, text: string) => page.evaluate(`draft().set(${JSON.stringify(text)})`)
  const read = (page: RemotePage) => page.evaluate('text()')
  const statusOf = (page: RemotePage) => page.evaluate('client.status.getSnapshot()') as Promise<ClientStatus>
  const untilStatus = (page: RemotePage, status: object, timeout?: number) =>
    until(async () => expect(await statusOf(page)).toMatchObject(status), timeout)
  const open = async (options: { userId: string; url?: string; token?: string }, origin = pages.origin) => {
    const page = await browser.newPage(`${origin}/`)
    await start(page, options)
    return page
  }

  describe(`faults in ${name}`, () => {
    it('[CAP1] [CAP2] a sandboxed frame, which may store nothing, gets a client that works and says why', async () => {
      const page = await browser.newPage(`${pages.origin}/sandbox`)
      const { status, text, ticks } = (await page.evaluate('framed')) as Framed
      expect(text).toBe('typed in a frame')
      expect(ticks).toBeGreaterThan(2)
      expect(status).toMatchObject({ ready: true, tab: 'alone', storage: { state: 'memory' } })
      expect(status.storage.reason?.code).toMatch(/^(refused|open-failed)$/)
      const refused = status.refused.map(({ code }) => code)
      expect(refused).toContain('local-storage-refused')
      note('sandboxed frame', [status.storage.reason?.code, ...refused].join(', '))
      await page.close()
    })

    if (launchSet) {
      it('[CAP1] [CAP2] a browser whose user blocks site data gets a client that works and says why', async () => {
        const blocked = await launchSet({ blocksSiteData: true })
        try {
          const page = await blocked.newPage(`${pages.origin}/`)
          await start(page, { userId: newUser(), url: syncUrl(), token: TOKEN })
          await type(page, 'typed')
          await untilStatus(page, { connection: { state: 'online' }, saved: 'server', tab: 'alone' })
          expect(await read(page)).toBe('typed')
          const { storage, refused } = await statusOf(page)
          expect(storage).toMatchObject({ state: 'memory', reason: { code: 'refused' } })
          note('site data blocked by the user', ['refused', ...refused.map(({ code }) => code)].join(', '))
        } finally {
          await blocked.stop()
        }
      })

      it('[CL2] [LIFE4] a full disk shows in the status, and everything is stored when there is room again', async () => {
        const full = await launchSet({ quotaBytes: 10 * 1024 * 1024 })
        try {
          const page = await full.newPage(`${pages.origin}/`)
          await start(page, { userId: newUser() })
          await type(page, 'first')
          await page.evaluate('client.flush()')
          expect(await page.evaluate(FILL_DISK)).toBe('QuotaExceededError')
          await page.evaluate(`void Array.from({ length: 40 }, (_, i) => {
            const text = Array.from({ length: 1500 }, () => Math.random().toString(36).slice(2, 12)).join('')
            client.store.conversation({ channelId: 'channel ' + i, channelType: 1 }).draft.set(text)
          })`)
          await type(page, 'typed while it was full')
          await untilStatus(page, {
            storage: { reason: { code: 'quota-exceeded' } },
            unsaved: { disk: true },
            saved: 'memory',
          })
          expect(await read(page)).toBe('typed while it was full')
          await page.evaluate(
            `new Promise((resolve) => { filler.close(); indexedDB.deleteDatabase('filler').onsuccess = () => resolve() })`,
          )
          await untilStatus(page, { storage: { state: 'indexeddb' }, unsaved: { disk: false } }, 40_000)
          expect(await read(page)).toBe('typed while it was full')
          note('disk full', 'quota-exceeded, then indexeddb')
        } finally {
          await full.stop()
        }
      })
    } else {
      for (const fault of ['site data blocked by the user', 'disk full'])
        note(fault, 'not shown: its test browser has no such setting')
    }

    it('[CAP1] [CAP2] a page in which reading indexedDB throws gets a client that works and says why', async () => {
      const page = await browser.newPage(`${pages.origin}/`)
      await page.evaluate(
        `void Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('The operation is insecure.', 'SecurityError') } })`,
      )
      await start(page, { userId: newUser() })
      await type(page, 'typed')
      expect(await read(page)).toBe('typed')
      const { storage } = await statusOf(page)
      expect(storage).toMatchObject({ state: 'memory', reason: { code: 'refused' } })
      note('reading indexedDB throws', 'refused')
      await page.close()
    })

    it('[WAIT1] a transaction of another page that holds the database ends neither flush() nor close()', async () => {
      const userId = newUser()
      const page = await open({ userId })
      await type(page, 'first')
      await page.evaluate('client.flush()')
      const other = await browser.newPage(`${pages.origin}/`)
      await other.evaluate(`new Promise((resolve) => {
        const request = indexedDB.open(${JSON.stringify(databaseName({ userId }))})
        request.onsuccess = () => {
          const store = request.result.transaction('updates', 'readwrite').objectStore('updates')
          window.held = true
          const spin = () => { store.get(-1).onsuccess = () => window.held ? spin() : request.result.close() }
          spin()
          setTimeout(resolve, 50)
        }
      })`)
      await type(page, 'typed while it is held')
      expect(await page.evaluate('client.flush()')).toMatchObject({ code: 'write-blocked' })
      const { storage } = await statusOf(page)
      expect(await page.evaluate('client.close()')).toMatchObject({ code: 'write-blocked' })
      await other.evaluate('void (window.held = false)')
      await sleep(500)
      await page.close()
      const next = await open({ userId })
      expect(await read(next)).toBe('typed while it is held')
      note('another page holds the database', storage.reason?.code ?? '')
      await next.close()
      await other.close()
    })

    it('[CL3] [LIFE2] site data that is cleared under the client is written again', async () => {
      const userId = newUser()
      const page = await open({ userId })
      await type(page, 'typed')
      await page.evaluate('client.flush()')
      await page.evaluate(`(window.seen = new Set(), void client.status.subscribe(() => {
        const { storage } = client.status.getSnapshot()
        if (storage.reason) seen.add(storage.reason.code)
      }))`)
      const other = await browser.newPage(`${pages.origin}/`)
      await other.evaluate(`new Promise((resolve, reject) => {
        localStorage.clear()
        const request = indexedDB.deleteDatabase(${JSON.stringify(databaseName({ userId }))})
        request.onsuccess = () => resolve()
        request.onerror = () => reject(request.error)
      })`)
      await untilStatus(page, { storage: { state: 'indexeddb' }, unsaved: { disk: false } })
      expect(await page.evaluate('[...seen]')).toContain('connection-lost')
      await page.close()
      await other.close()
      const next = await open({ userId })
      expect(await read(next)).toBe('typed')
      note('site data is cleared', 'connection-lost, then indexeddb')
      await next.close()
    })

    it('[LIFE1] [LIFE2] a page that is left and comes back goes on with what was typed', async () => {
      const userId = newUser()
      const page = await open({ userId, url: syncUrl(), token: TOKEN })
      await untilStatus(page, { connection: { state: 'online' } })
      await page.evaluate(
        `void addEventListener('pageshow', (event) => { window.restored = event.persisted })`,
      )
      await type(page, 'typed before')
      await page.goto(`${pages.origin}/other`)
      await sleep(300)
      await page.back()
      await until(async () =>
        expect(await page.evaluate("document.readyState === 'complete' && typeof window.start")).toBe(
          'function',
        ),
      )
      await sleep(300)
      const restored = (await page.evaluate('window.restored ?? false')) === true
      if (!restored) await start(page, { userId, url: syncUrl(), token: TOKEN })
      await untilStatus(page, { connection: { state: 'online' }, saved: 'server' })
      expect(await read(page)).toBe('typed before')
      await type(page, 'typed after')
      await untilStatus(page, { saved: 'server' })
      // Chromium says which pages it keeps; an open channel, lock or socket made this one ineligible.
      if (name === 'Chromium') expect(restored).toBe(true)
      note('page left and returned to', restored ? 'kept in the back/forward cache' : 'loaded again')
      await page.close()
    })

    it('[LIFE2] [CL43] a browser that sleeps goes on where it was, with what others typed meanwhile', async () => {
      const userId = newUser()
      const page = await open({ userId, url: syncUrl(), token: TOKEN })
      await untilStatus(page, { connection: { state: 'online' } })
      await type(page, 'typed before')
      await untilStatus(page, { saved: 'server' })
      const asleep = browser.processes('all')
      expect(asleep.length).toBeGreaterThan(0)
      for (const id of asleep) process.kill(id, 'SIGSTOP')
      try {
        await sleep(3_000)
      } finally {
        for (const id of asleep) process.kill(id, 'SIGCONT')
      }
      await untilStatus(page, { connection: { state: 'online' } })
      await type(page, 'typed after')
      await untilStatus(page, { saved: 'server' })
      note('browser asleep for 3 s', 'online')
      await page.close()
    })

    it('[NET1] [NET2] a page over HTTPS with a ws: address says mixed-content, with one warning', async () => {
      const page = await open({ userId: newUser(), url: 'ws://sync.invalid/sync' }, pages.secureOrigin)
      await untilStatus(page, { connection: { state: 'denied', reason: { code: 'mixed-content' } } })
      await type(page, 'typed')
      await untilStatus(page, { unsaved: { disk: false } })
      expect(await page.evaluate('warnings.length')).toBe(1)
      note('mixed content', 'mixed-content')
      await page.close()
    })

    it('[NET1] [NET2] an address without a sync server says wrong-address, with one warning', async () => {
      const url = `${pages.origin.replace('http', 'ws')}/nowhere`
      const page = await open({ userId: newUser(), url })
      await untilStatus(page, { connection: { reason: { code: 'wrong-address' } } })
      await type(page, 'typed')
      await untilStatus(page, { unsaved: { disk: false } })
      await sleep(2_000)
      expect(await page.evaluate('warnings.length')).toBe(1)
      note('wrong address', 'wrong-address')
      await page.close()
    })

    it('[NET1] [NET2] [NET12] a page of an origin the server does not serve says origin-refused', async () => {
      const origin = pages.origin.replace('127.0.0.1', 'localhost')
      const page = await browser
        .newPage(`${pages.origin.replace('127.0.0.1', 'localhost')}/`)
        .catch(() => null)
      if (page === null) throw new Error(`${origin} did not load`)
      await start(page, { userId: newUser(), url: syncUrl(), token: TOKEN })
      await untilStatus(page, { connection: { state: 'denied', reason: { code: 'origin-refused' } } })
      expect(await page.evaluate('warnings.length')).toBe(1)
      note('refused origin', 'origin-refused')
      await page.close()
    })

    it('[NET1] [NET2] [NET3] a token the server does not know says token-refused', async () => {
      const page = await open({ userId: newUser(), url: syncUrl(), token: 'wrong' })
      await untilStatus(page, { connection: { state: 'needs-auth', reason: { code: 'token-refused' } } })
      expect(await page.evaluate('warnings.length')).toBe(1)
      note('refused token', 'token-refused')
      await page.close()
    })

    it('[NET4] [NET11] a proxy that strips the subprotocol lets the token through in the first message', async () => {
      for (const strip of [{ request: true }, { answer: true }]) {
        const line = await startLine(port, { strip })
        const page = await open({ userId: newUser(), url: line.url, token: TOKEN })
        await type(page, 'typed')
        await untilStatus(page, {
          connection: { state: 'online', reason: { code: 'subprotocol-stripped' } },
          saved: 'server',
        })
        await page.close()
        await line.stop()
      }
      note('proxy strips the subprotocol', 'online, subprotocol-stripped')
    })

    it('[NET6] [NET8] a first sync over a slow line that breaks again and again does not start over', async () => {
      const userId = newUser()
      const writer = await open({ userId, url: syncUrl(), token: TOKEN })
      await writer.evaluate(`void client.store.receive(Array.from({ length: 2000 }, (_, i) => ({
        channel: { channelId: 'channel ' + i, channelType: 1 }, messageSeq: 1, fromUid: 'bob', timestamp: 1.7e12 + i,
        payload: { text: Array.from({ length: 12 }, (_, k) => (i * 7919 + k * 104729) % 99991).join(' ') },
      })))`)
      await type(writer, 'typed elsewhere')
      await untilStatus(writer, { saved: 'server' })
      await writer.evaluate('client.close()')
      await writer.evaluate('client.destroy()')
      await writer.close()
      const line = await startLine(port, { down: 80_000, breakEveryMs: 2_000 })
      const page = await browser.newPage(`${pages.origin}/`)
      await start(page, { userId: userId, url: line.url, token: TOKEN })
      await untilStatus(page, { connection: { state: 'online' } }, 60_000)
      expect(await page.evaluate('client.store.keys().length')).toBeGreaterThanOrEqual(2000)
      expect(await read(page)).toBe('typed elsewhere')
      expect(line.breaks()).toBeGreaterThan(0)
      note('slow line that breaks', 'online, goes on from what arrived')
      await page.close()
      await line.stop()
    })

    // Last, for the process may be that of other pages too.
    it('[CL1] [LIFE2] a page whose process is killed loses nothing that the status calls saved on disk', async () => {
      const userId = newUser()
      const page = await open({ userId })
      await type(page, 'typed')
      await untilStatus(page, { saved: 'disk' })
      const killed = browser.processes('pages')
      expect(killed.length).toBeGreaterThan(0)
      if (browser.survivesKill) {
        for (const id of killed) {
          try {
            process.kill(id, 'SIGKILL')
          } catch {
            // One may have ended with another.
          }
        }
        await sleep(500)
      } else await page.close()
      const next = await open({ userId })
      expect(await read(next)).toBe('typed')
      note(
        'process of the page killed',
        browser.survivesKill
          ? 'read again from disk'
          : 'not shown: the driver ends too; a closed page is read again from disk',
      )
    })
  })
}
