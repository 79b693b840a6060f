import { pathToFileURL } from 'node:url'
import { createStore } from '@parley/core'
import { createMemoryLog, createServer, type Server } from '@parley/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { launchBrowser } from '../web/devices.js'
import type { App } from './app.js'
import { type Bundle, bundleApp } from './bundle.js'

// The npm package wukongimjssdk 1.0.4, bundled as its apps are.

let bundle: Bundle
let server: Server
let url = ''
let browser: Browser
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  bundle = await bundleApp()
  server = await createServer({
    store: createMemoryLog(),
    auth: 'open',
    port: 0,
    webRoot: bundle.folder,
    timing: { drainMs: 0 },
  })
  ;({ url } = await server.listen())
  browser = await launchBrowser()
  page = await browser.newPage()
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  await page.waitForFunction(() => 'parleyApp' in globalThis)
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
  await bundle?.remove()
})

/** What a user has before the app starts, as an update: two messages of bob's, one in a group, and a mention there. */
function beginning(): Uint8Array {
  const store = createStore({ userId: 'me', deviceName: 'Phone' })
  const text = (channelId: string, channelType: number, messageSeq: number, content: string): void =>
    store.receive({
      channel: { channelId, channelType },
      messageSeq,
      fromUid: 'bob',
      timestamp: 1_700_000_000_000 + messageSeq * 100_000,
      payload: { type: 1, content },
    })
  text('bob', 1, 1, 'hello')
  text('bob', 1, 2, 'hi')
  text('group', 2, 1, 'welcome')
  const group = store.conversation({ channelId: 'group', channelType: 2 })
  group.setReminder({ reminderId: '7', version: 1, data: { reminderType: 1 } })
  return Y.encodeStateAsUpdate(store.doc)
}

/** Where the app runs. */
const runners = {
  Node: async (): Promise<App> => (await import(pathToFileURL(bundle.file).href)) as App,
  Chromium: async (): Promise<App> => ({
    runByHttp: (...args) => page.evaluate((given) => globalThis.parleyApp.runByHttp(...given), args),
    runInPage: (...args) => page.evaluate((given) => globalThis.parleyApp.runInPage(...given), args),
  }),
} as const

const SEEN = {
  looks: {
    first: { list: ['bob 2 "hi"', 'group 1 "welcome"'], total: 3 },
    arrived: { list: ['bob 3 "are you there?"', 'group 1 "welcome"'], total: 4 },
    synced: { list: ['bob 3 "are you there?"', 'group 1 "welcome"'], total: 4 },
    cleared: { list: ['bob 0 "are you there?"', 'group 1 "welcome"'], total: 1 },
    deleted: { list: ['group 1 "welcome"'], total: 1 },
  },
  drafts: ['on my way', ''],
  reminders: [[7], []],
}

/** The group's listeners are called whenever reminders were asked for. */
const ofBob = (heard: readonly string[]): string[] => heard.filter((one) => one.startsWith('bob'))

describe.each(Object.entries(runners))('wukongimjssdk 1.0.4 in %s', (place, appIn) => {
  it.each(['tsdd', 'wukongim'] as const)(
    '[SDK9] lists, updates, counts and clears what the gateway has, in the shape of %s',
    async (shape) => {
      const uid = `${place}-${shape}`
      const { room, release } = await server.rooms.acquire(uid)
      await room.submit(beginning())
      release()
      const { runByHttp } = await appIn()
      const { heard, ...seen } = await runByHttp(url, uid, shape)
      expect(seen).toEqual(SEEN)
      expect(ofBob(heard)).toEqual(['bob update 3', 'bob update 0', 'bob remove 0'])
    },
  )

  it('[SDK9] lists, updates, counts and clears what a store in the page has, and another device with it', async () => {
    const { runInPage } = await appIn()
    const { heard, ...seen } = await runInPage([...beginning()])
    expect(seen).toEqual(SEEN)
    expect(ofBob(heard)).toEqual(['bob update 3', 'bob update 0', 'bob remove 0'])
  })
})

it('the page complains of nothing', () => {
  expect(complaints).toEqual([])
})
