import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { databaseName } from '../../src/index.js'
import { startTestServer, type TestServer } from '../support/testServer.js'
import { startChromium, type Tab, until } from './chromium.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const ONLINE = { connection: { state: 'online' } }

let chromium: Awaited<ReturnType<typeof startChromium>>
let server: TestServer
let users = 0
const newUser = () => `user ${++users}`

beforeAll(async () => {
  server = await startTestServer()
  chromium = await startChromium()
})
afterEach(() => chromium?.closeDevices())
afterAll(async () => {
  await chromium?.stop()
  await server?.stop()
})

const countRows = (tab: Tab, name: string): Promise<number> =>
  tab.page.evaluate(
    (name) =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open(name)
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () => {
          const counting = opening.result.transaction('updates').objectStore('updates').count()
          counting.onsuccess = () => {
            opening.result.close()
            resolve(counting.result)
          }
        }
      }),
    name,
  )

describe('in Chromium', () => {
  it('[CL1] an edit whose status says disk is there after its tab was killed', async () => {
    const device = await chromium.device()
    const userId = newUser()
    for (let round = 0; round < 5; round++) {
      const tab = await device.tab({ userId })
      if (round > 0) expect(await tab.read()).toBe(`text ${round - 1}`)
      // Told by the page itself, at the very moment the status changes.
      await tab.page.evaluate(
        (text) =>
          new Promise<void>((resolve) => {
            const { client } = window
            client.store.conversation({ channelId: 'bob', channelType: 1 }).draft.set(text)
            const look = () => client.status.getSnapshot().saved === 'disk' && resolve()
            client.status.subscribe(look)
            look()
          }),
        `text ${round}`,
      )
      await tab.crash()
    }
    const last = await device.tab({ userId })
    expect(await last.read()).toBe('text 4')
  })

  it('[CL4] edits made right before a tab is closed are kept', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const tab = await device.tab({ userId })
    await tab.page.evaluate(() => {
      for (let index = 0; index < 25; index++) {
        window.client.store.conversation({ channelId: `channel ${index}`, channelType: 1 }).draft.set('hello')
      }
    })
    await tab.page.close()
    const next = await device.tab({ userId })
    const found = await next.page.evaluate(() =>
      Array.from({ length: 25 }, (_, index) =>
        window.client.store.conversation({ channelId: `channel ${index}`, channelType: 1 }).getSnapshot(),
      ).filter(({ drafts }) => drafts.composer?.text === 'hello'),
    )
    expect(found).toHaveLength(25)
  })

  it('[CL40] [CL41] several tabs agree at once, and each stores only its own edits', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const tabs: Tab[] = []
    for (let index = 0; index < 3; index++) tabs.push(await device.tab({ userId, url: server.url }))
    for (const tab of tabs) await tab.untilStatus({ ...ONLINE, saved: 'server' })
    const statuses = await Promise.all(tabs.map((tab) => tab.status()))
    expect(statuses.map(({ tab }) => tab).sort()).toEqual(['follower', 'follower', 'leader'])
    const [first] = tabs as [Tab]
    const before = await countRows(first, databaseName({ userId }))
    for (const [index, tab] of tabs.entries()) {
      await tab.page.evaluate(async (channelId) => {
        for (let edit = 0; edit < 10; edit++) {
          window.client.store.conversation({ channelId, channelType: 1 }).draft.set(`text ${edit}`)
          await window.client.flush()
        }
      }, `channel ${index}`)
    }
    for (const tab of tabs) {
      for (let index = 0; index < 3; index++) await tab.untilRead('text 9', `channel ${index}`)
      await tab.untilStatus({ saved: 'server', unsaved: { disk: false } })
    }
    expect((await countRows(first, databaseName({ userId }))) - before).toBeLessThanOrEqual(30)
  })

  it('[CL43] when the tab that leads is killed another one takes over', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const a = await device.tab({ userId, url: server.url })
    await a.untilStatus({ ...ONLINE, tab: 'leader' })
    const b = await device.tab({ userId, url: server.url })
    await b.untilStatus({ ...ONLINE, tab: 'follower' })
    await a.type('hello')
    await b.untilRead('hello')
    await a.crash()
    await b.untilStatus({ ...ONLINE, tab: 'leader' })
    await b.type('hello again')
    await b.untilStatus({ saved: 'server' })
  })

  it('[CL44] a tab that is frozen hands the lead on, and follows when it wakes up', async () => {
    const userId = newUser()
    const a = await chromium.backgroundTab({ userId, url: server.url })
    await a.untilStatus({ ...ONLINE, tab: 'leader' })
    const b = await chromium.backgroundTab({ userId, url: server.url })
    await b.untilStatus({ ...ONLINE, tab: 'follower' })
    await a.send('Page.setWebLifecycleState', { state: 'frozen' })
    const since = Date.now()
    await b.untilStatus({ tab: 'leader' })
    console.log(`The lead changed ${Date.now() - since} ms after the leader was frozen`)
    await b.type('hello')
    await b.untilStatus({ ...ONLINE, saved: 'server' })
    expect(await a.evaluate('document.visibilityState')).toBe('hidden')
    await a.send('Page.setWebLifecycleState', { state: 'active' })
    await a.untilStatus({ ...ONLINE, tab: 'follower' })
    await a.untilRead('hello')
    await a.type('hello again')
    await a.untilStatus({ saved: 'server' })
    await b.untilRead('hello again')
  })

  it('[CL44] a leader that hangs is robbed of its lock, and follows when it goes on', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const a = await device.tab({ userId, url: server.url })
    await a.untilStatus({ ...ONLINE, tab: 'leader' })
    const b = await device.tab({ userId, url: server.url })
    await b.untilStatus({ ...ONLINE, tab: 'follower' })
    await a.cdp.send('Debugger.enable')
    await a.cdp.send('Debugger.pause')
    const since = Date.now()
    await b.untilStatus({ tab: 'leader' })
    const took = Date.now() - since
    console.log(`The lead changed ${took} ms after the leader hung`)
    // Two seconds by design; the rest is for machines that are busy with other tests.
    expect(took).toBeLessThan(5_000)
    await b.type('hello')
    await b.untilStatus({ ...ONLINE, saved: 'server' })
    await a.cdp.send('Debugger.disable')
    await a.untilStatus({ ...ONLINE, tab: 'follower' })
    await a.untilRead('hello')
    await a.type('hello again')
    await a.untilStatus({ saved: 'server' })
    await b.untilRead('hello again')
  })

  it('[CL2] a full disk shows in the status, and edits are stored when there is room again', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const page = await device.blank()
    const cdp = await device.context.newCDPSession(page)
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: chromium.origin, quotaSize: 200_000 })
    const tab = await device.tab({ userId })
    await tab.page.evaluate(() => {
      for (let index = 0; index < 20; index++) {
        const text = Array.from({ length: 1_500 }, () => Math.random().toString(36).slice(2, 12)).join('')
        window.client.store.conversation({ channelId: `channel ${index}`, channelType: 1 }).draft.set(text)
      }
    })
    await tab.untilStatus({
      storage: { reason: { code: 'quota-exceeded' } },
      unsaved: { disk: true },
      saved: 'memory',
    })
    await tab.type('still here')
    expect(await tab.read()).toBe('still here')
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: chromium.origin, quotaSize: 200_000_000 })
    await tab.untilStatus({ storage: { state: 'indexeddb' }, unsaved: { disk: false }, saved: 'disk' })
    await tab.crash()
    const next = await device.tab({ userId })
    expect(await next.read()).toBe('still here')
  })

  it('[CL3] a database that is deleted under the client is opened again and gets everything', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const tab = await device.tab({ userId })
    await tab.type('hello')
    await tab.untilStatus({ saved: 'disk' })
    await tab.cdp.send('Storage.clearDataForOrigin', { origin: chromium.origin, storageTypes: 'indexeddb' })
    await until(async () => expect((await tab.status()).storage.reason?.code).toBe('connection-lost'))
    await tab.type('hello again')
    expect(await tab.read()).toBe('hello again')
    await tab.untilStatus({ storage: { state: 'indexeddb' }, saved: 'disk' })
    await tab.crash()
    const next = await device.tab({ userId })
    expect(await next.read()).toBe('hello again')
  })

  it('[CL8] destroy deletes the database that other tabs have open', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const a = await device.tab({ userId, url: server.url })
    const b = await device.tab({ userId, url: server.url })
    await a.type('hello')
    await b.untilRead('hello')
    await a.page.evaluate(() => window.client.destroy())
    await b.untilStatus({ storage: { state: 'memory', reason: { code: 'destroyed-elsewhere' } } })
    const names = await a.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))
    expect(names).not.toContain(databaseName({ userId }))
    expect(await b.read()).toBe('hello')
  })

  it('[CL28] works off the network, and connects at once when it is back', async () => {
    const device = await chromium.device()
    const userId = newUser()
    const tab = await device.tab({ userId, url: server.url })
    await tab.untilStatus(ONLINE)
    await device.context.setOffline(true)
    server.closeAll(1012)
    await tab.untilStatus({ connection: { state: 'offline', reason: { code: 'no-network' } } })
    await tab.type('hello')
    await tab.untilStatus({ saved: 'disk', unsaved: { server: true } })
    await device.context.setOffline(false)
    await tab.untilStatus({ ...ONLINE, saved: 'server' })
  })

  it('[CL33] connects to a stock server, which selects no subprotocol', async () => {
    const stock = await startTestServer({ stock: true })
    const device = await chromium.device()
    const tab = await device.tab({ userId: newUser(), url: stock.url })
    await tab.type('hello')
    await tab.untilStatus({ ...ONLINE, saved: 'server' })
    await stock.stop()
  })
})
