import { pathToFileURL } from 'node:url'
import { createMemoryLog, createServer, type Server } from '@parley/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../web/devices.js'
import type { App } from './app.js'
import { type Bundle, bundleApp } from './bundle.js'
import { beginning, HEARD_OF_BOB, ofBob, SEEN } from './expected.js'

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

/** Where the app runs. */
const runners = {
  Node: async (): Promise<App> => (await import(pathToFileURL(bundle.file).href)) as App,
  Chromium: async (): Promise<App> => ({
    runByHttp: (...args) => page.evaluate((given) => globalThis.parleyApp.runByHttp(...given), args),
    runInPage: (...args) => page.evaluate((given) => globalThis.parleyApp.runInPage(...given), args),
  }),
} as const

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
      expect(ofBob(heard)).toEqual(HEARD_OF_BOB)
    },
  )

  it('[SDK9] lists, updates, counts and clears what a store in the page has, and another device with it', async () => {
    const { runInPage } = await appIn()
    const { heard, ...seen } = await runInPage([...beginning()])
    expect(seen).toEqual(SEEN)
    expect(ofBob(heard)).toEqual(HEARD_OF_BOB)
  })
})

it('the page complains of nothing', () => {
  expect(complaints).toEqual([])
})
