import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { expect, vi } from 'vitest'
import type { ClientOptions, ClientStatus } from '../../src/index.js'

/** Waits for what a browser does on a machine that has other things to do. */
export const until = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 15_000, interval: 50 })

export async function findChromium(): Promise<string> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH
  const script = new URL('../../../../scripts/ensure-chromium.mjs', import.meta.url).href
  const { ensureChromium } = (await import(script)) as { ensureChromium: () => Promise<string> }
  return ensureChromium()
}

/** One file with the client, from its sources, as a page's script has it. */
export async function bundle(entry: string): Promise<string> {
  const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: source('../..'),
    resolve: { alias: { '@parley/core': source('../../../core/src/index.ts') }, dedupe: ['yjs'] },
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ['iife'], name: 'page', fileName: 'page' },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (!output || !('output' in output)) throw new Error('Nothing was built')
  return output.output[0].code
}

/** A Chromium with a page that offers `createClient`; its contexts are devices and their pages tabs. */
export async function startChromium() {
  const code = await bundle(fileURLToPath(new URL('./page.ts', import.meta.url)))
  const pages = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? code : '<!doctype html><meta charset="utf-8"><script src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  })
  const contexts: BrowserContext[] = []
  let protocol: CDPSession | undefined

  return {
    origin,
    /** A device of its own: nothing it stores is seen by another one. */
    async device() {
      const context = await browser.newContext()
      contexts.push(context)
      const blank = async () => {
        const page = await context.newPage()
        await page.goto(origin)
        return page
      }
      return {
        context,
        blank,
        /** A tab with a client in it. */
        async tab(options: TabOptions): Promise<Tab> {
          return createTab(await blank(), options)
        },
      }
    },
    /** A tab of the browser's own device, which nobody looks at. */
    async backgroundTab(options: TabOptions): Promise<BackgroundTab> {
      protocol ??= await browser.newBrowserCDPSession()
      return createBackgroundTab(protocol, origin, options)
    },
    async closeDevices() {
      for (const context of contexts.splice(0)) await context.close()
    },
    async stop() {
      await browser.close()
      await new Promise((resolve) => pages.close(resolve))
    },
  }
}

/** A client in a tab, and what a test does with it. */
export interface AnyTab {
  status: () => Promise<ClientStatus>
  untilStatus: (status: object) => Promise<void>
  type: (text: string, channelId?: string) => Promise<void>
  read: (channelId?: string) => Promise<string | undefined>
  untilRead: (text: string, channelId?: string) => Promise<void>
}

/** A tab that Playwright drives. */
export interface Tab extends AnyTab {
  readonly page: Page
  readonly cdp: CDPSession
  /** Ends the tab's process without a word. */
  crash: () => Promise<void>
}

/** A tab that the user does not look at, driven through the protocol alone. */
export interface BackgroundTab extends AnyTab {
  send: (method: string, params?: object) => Promise<unknown>
  evaluate: (expression: string) => Promise<unknown>
}

type TabOptions = Pick<ClientOptions, 'userId' | 'url'>

/** What a tab does, given how an expression is evaluated in it. */
function createAnyTab(evaluate: (expression: string) => Promise<unknown>): AnyTab {
  const conversation = (channelId: string) =>
    `client.store.conversation({ channelId: ${JSON.stringify(channelId)}, channelType: 1 })`
  const tab: AnyTab = {
    status: () => evaluate('client.status.getSnapshot()') as Promise<ClientStatus>,
    untilStatus: (status) => until(async () => expect(await tab.status()).toMatchObject(status)),
    async type(text, channelId = 'bob') {
      await evaluate(`${conversation(channelId)}.draft.set(${JSON.stringify(text)})`)
    },
    read: (channelId = 'bob') =>
      evaluate(`${conversation(channelId)}.getSnapshot().drafts.composer?.text`) as Promise<
        string | undefined
      >,
    untilRead: (text, channelId) => until(async () => expect(await tab.read(channelId)).toBe(text)),
  }
  return tab
}

const opening = (options: TabOptions) =>
  `window.client = createClient(${JSON.stringify({ deviceName: 'Chromium', ...options })}); client.ready`

async function createTab(page: Page, options: TabOptions): Promise<Tab> {
  const cdp = await page.context().newCDPSession(page)
  await page.evaluate(opening(options))
  return {
    ...createAnyTab((expression) => page.evaluate(expression)),
    page,
    cdp,
    async crash() {
      const crashed = new Promise((resolve) => page.once('crash', resolve))
      // Its answer never comes.
      void cdp.send('Page.crash').catch(() => {})
      await crashed
    },
  }
}

let messages = 0

/** Playwright makes every page believe that it is looked at, and such a page cannot be frozen; so this one is not told. */
async function createBackgroundTab(
  cdp: CDPSession,
  url: string,
  options: TabOptions,
): Promise<BackgroundTab> {
  const { targetId } = await cdp.send('Target.createTarget', { url, background: true })
  const { sessionId } = await cdp.send('Target.attachToTarget', { targetId, flatten: false })
  const answers = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>()
  cdp.on('Target.receivedMessageFromTarget', (event) => {
    const { id, ...answer } = JSON.parse(event.message) as { id?: number; result?: unknown; error?: unknown }
    if (event.sessionId === sessionId && id !== undefined) answers.get(id)?.(answer)
  })
  const send = async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++messages
    const answered = new Promise<{ result?: unknown; error?: unknown }>((resolve) => answers.set(id, resolve))
    const message = JSON.stringify({ id, method, params })
    await cdp.send('Target.sendMessageToTarget', { sessionId, message })
    const { result, error } = await answered
    if (error) throw new Error(JSON.stringify(error))
    return result
  }
  const evaluate = async (expression: string): Promise<unknown> => {
    const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    const { result, exceptionDetails } = answer as { result: { value: unknown }; exceptionDetails?: unknown }
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }
  await until(async () => expect(await evaluate('typeof createClient')).toBe('function'))
  await evaluate(opening(options))
  return { ...createAnyTab(evaluate), send, evaluate }
}
