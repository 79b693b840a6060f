import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { WebSocket } from 'ws'
import { findChromium } from '../chromium/chromium.js'

/** A page in one of the browsers, as far as the tests of faults need it. */
export interface RemotePage {
  goto: (url: string) => Promise<void>
  back: () => Promise<void>
  /** Evaluates an expression in the page, waits for it if it is a promise, and returns what can be written as JSON. */
  evaluate: (expression: string) => Promise<unknown>
  close: () => Promise<void>
}

/** A browser that a test drives. All pages share one profile, that is, one device. */
export interface RemoteBrowser {
  /** False where the driver ends the browser when the process of a page is killed. */
  readonly survivesKill: boolean
  newPage: (url: string) => Promise<RemotePage>
  /** The ids of the processes that run pages, or of all of the browser's. */
  processes: (which: 'pages' | 'all') => number[]
  stop: () => Promise<void>
}

const START_TIMEOUT_MS = 60_000
const COMMAND_TIMEOUT_MS = 60_000

/** How a page's expression is sent: as text that is evaluated there, so that its value survives every protocol. */
const asJson = (expression: string): string =>
  `(async () => JSON.stringify((await (${expression})) ?? null))()`

/** What the user of a browser has set. */
export interface BrowserSettings {
  /** Sites may keep no data. */
  readonly blocksSiteData?: boolean
  /** How much sites may keep, in bytes. */
  readonly quotaBytes?: number
}

/** Starts Chromium, with its back/forward cache, which Playwright turns off. */
export async function startChromium(settings: BrowserSettings = {}): Promise<RemoteBrowser> {
  const { blocksSiteData, quotaBytes } = settings
  const folder = mkdtempSync(join(tmpdir(), 'parley-chromium-'))
  if (blocksSiteData) {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } }
    mkdirSync(join(folder, 'Default'))
    writeFileSync(join(folder, 'Default/Preferences'), JSON.stringify(preferences))
  }
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: await findChromium(),
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    ignoreHTTPSErrors: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  })
  return {
    survivesKill: true,
    async newPage(url) {
      const page = await context.newPage()
      await page.goto(url)
      if (quotaBytes !== undefined) {
        const cdp = await context.newCDPSession(page)
        const { origin } = new URL(url)
        await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: quotaBytes })
      }
      return {
        goto: async (next) => void (await page.goto(next)),
        // A page that comes out of the cache has no load event.
        back: async () => void (await page.goBack({ waitUntil: 'commit' })),
        evaluate: async (expression) => JSON.parse(await page.evaluate<string>(asJson(expression))),
        close: () => page.close(),
      }
    },
    processes: (which) => findProcesses(folder, which === 'pages' ? /--type=renderer/ : /./),
    async stop() {
      await Promise.race([context.close(), delay(5_000)])
      for (const id of findProcesses(folder, /./)) kill(id, 'SIGKILL')
      removeFolder(folder)
    },
  }
}

/** Preferences of a Firefox that reaches out to nobody and does not ask anything. */
const FIREFOX_PREFERENCES = {
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.tabs.crashReporting.sendReport': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.ipc.processPrelaunch.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:1/',
  'toolkit.telemetry.enabled': false,
}

/** Starts Firefox and drives it by WebDriver BiDi, which it speaks itself. */
export async function startFirefox(settings: BrowserSettings = {}): Promise<RemoteBrowser> {
  const { blocksSiteData, quotaBytes } = settings
  const program = process.env.FIREFOX_PATH ?? 'firefox-esr'
  const folder = mkdtempSync(join(tmpdir(), 'parley-firefox-'))
  const preferences = {
    ...FIREFOX_PREFERENCES,
    ...(blocksSiteData ? { 'network.cookie.cookieBehavior': 2 } : {}),
    // In KiB; of it one site may have a fifth, but 10 MiB at least.
    ...(quotaBytes ? { 'dom.quotaManager.temporaryStorage.fixedLimit': quotaBytes / 1024 } : {}),
  }
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  )
  writeFileSync(join(folder, 'user.js'), lines.join('\n'))
  const args = ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port=0', 'about:blank']
  const browser = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, MOZ_CRASHREPORTER_DISABLE: '1' },
  })
  const address = await readLine(browser, browser.stderr, /WebDriver BiDi listening on (ws:\S+)/)
  const { send, close } = await connectBidi(`${address}/session`)
  await send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
  return {
    survivesKill: true,
    async newPage(url) {
      const { context } = (await send('browsingContext.create', { type: 'tab' })) as { context: string }
      const goto = async (next: string): Promise<void> => {
        await send('browsingContext.navigate', { context, url: next, wait: 'complete' })
      }
      await goto(url)
      return {
        goto,
        back: async () => void (await send('browsingContext.traverseHistory', { context, delta: -1 })),
        async evaluate(expression) {
          const answer = (await send('script.evaluate', {
            expression: asJson(expression),
            target: { context },
            awaitPromise: true,
          })) as { result?: { value: string }; exceptionDetails?: { text: string } }
          if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.text)
          return JSON.parse(answer.result?.value ?? 'null')
        },
        close: async () => void (await send('browsingContext.close', { context })),
      }
    },
    processes: (which) =>
      findProcesses(folder, which === 'pages' ? /-contentproc.* tab$/ : /./, browser.pid as number),
    async stop() {
      await Promise.race([send('browser.close', {}).catch(() => {}), delay(5_000)])
      close()
      const ended = new Promise((resolve) => browser.once('exit', resolve))
      if (browser.exitCode === null) {
        kill(browser.pid as number, 'SIGKILL')
        await Promise.race([ended, delay(5_000)])
      }
      removeFolder(folder)
    },
  }
}

/** Starts WebKitGTK's small browser, and drives it by WebDriver. It needs a display, so it gets one in memory. */
export async function startWebkit(
  program = process.env.WEBKIT_BROWSER_PATH ?? '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
): Promise<RemoteBrowser> {
  const screen = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const display = await readLine(screen, screen.stdout, /^(\d+)\n/)
  const folder = mkdtempSync(join(tmpdir(), 'parley-webkit-'))
  const port = await freePort()
  const driver = spawn('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      DISPLAY: `:${display}`,
      HOME: folder,
      LIBGL_ALWAYS_SOFTWARE: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    },
  })
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      signal: AbortSignal.timeout(COMMAND_TIMEOUT_MS),
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null }
    if (!response.ok) throw new Error(`${value?.error}: ${value?.message}`)
    return value
  }
  await until(() => call('GET', '/status'))
  const options = { binary: program, args: ['--automation'] }
  const { sessionId } = (await call('POST', '/session', {
    capabilities: {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        acceptInsecureCerts: true,
        'webkitgtk:browserOptions': options,
      },
    },
  })) as { sessionId: string }
  const command = (method: string, path: string, body?: object) =>
    call(method, `/session/${sessionId}${path}`, body)
  /** The driver has one current page, so commands to different ones must not mix. */
  let last: Promise<unknown> = Promise.resolve()
  const inPage = <Result>(handle: string, task: () => Promise<Result>): Promise<Result> => {
    const result = last.then(async () => {
      await command('POST', '/window', { handle })
      return task()
    })
    last = result.catch(() => {})
    return result
  }
  await command('POST', '/timeouts', { script: COMMAND_TIMEOUT_MS })
  // Stays open, for without a current page there are no commands.
  const first = (await command('GET', '/window')) as string
  return {
    survivesKill: false,
    async newPage(url) {
      const { handle } = (await inPage(first, () => command('POST', '/window/new', { type: 'window' }))) as {
        handle: string
      }
      await inPage(handle, () => command('POST', '/url', { url }))
      return {
        goto: async (next) => void (await inPage(handle, () => command('POST', '/url', { url: next }))),
        back: async () => void (await inPage(handle, () => command('POST', '/back', {}))),
        async evaluate(expression) {
          const script = `const done = arguments[0]; ${asJson(expression)}.then(done, (error) => done({ error: String(error) }))`
          const answer = await inPage(handle, () => command('POST', '/execute/async', { script, args: [] }))
          if (typeof answer !== 'string') throw new Error((answer as { error: string }).error)
          return JSON.parse(answer)
        },
        close: async () => void (await inPage(handle, () => command('DELETE', '/window'))),
      }
    },
    processes: (which) =>
      findProcesses(
        folder,
        which === 'pages' ? /WebKitWebProcess/ : /WebKit|MiniBrowser/,
        driver.pid as number,
      ),
    async stop() {
      await Promise.race([command('DELETE', '').catch(() => {}), delay(5_000)])
      for (const id of findProcesses(folder, /WebKit|MiniBrowser/, driver.pid as number)) kill(id, 'SIGKILL')
      driver.kill('SIGKILL')
      screen.kill()
      removeFolder(folder)
    },
  }
}

/** The processes below one, or those that name a folder of ours in their command line or environment, by their command line. */
function findProcesses(folder: string, pattern: RegExp, below?: number): number[] {
  const parents = new Map<number, number>()
  const lines = new Map<number, string>()
  for (const name of readdirSync('/proc')) {
    const id = Number(name)
    if (!Number.isInteger(id)) continue
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
      parents.set(id, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
      lines.set(id, readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (id: number): boolean => {
    if (below === undefined) return lines.get(id)?.includes(folder) === true
    for (let at: number | undefined = id; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === below) return true
    }
    return false
  }
  return [...lines].filter(([id, line]) => pattern.test(line) && isOurs(id)).map(([id]) => id)
}

function kill(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal)
  } catch {
    // It has ended already.
  }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

async function connectBidi(url: string) {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const answers = new Map<number, (answer: { result?: unknown; error?: string; message?: string }) => void>()
  let last = 0
  socket.on('message', (data: Buffer) => {
    const { id, ...answer } = JSON.parse(data.toString()) as { id?: number }
    if (id !== undefined) answers.get(id)?.(answer)
  })
  socket.on('error', () => {})
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    async send(method: string, params: object): Promise<unknown> {
      const id = ++last
      const answered = new Promise<{ result?: unknown; error?: string; message?: string }>((resolve) =>
        answers.set(id, resolve),
      )
      socket.send(JSON.stringify({ id, method, params }))
      const answer = await Promise.race([answered, delay(COMMAND_TIMEOUT_MS)])
      answers.delete(id)
      if (!answer) throw new Error(`${method} was not answered`)
      if (answer.error) throw new Error(`${method}: ${answer.error}: ${answer.message}`)
      return answer.result
    },
    close: () => socket.close(),
  }
}

/** Waits for a line of a program's output. */
function readLine(child: ChildProcess, stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string) => reject(new Error(`${child.spawnfile} ${why}: ${said.slice(-1000)}`))
    const deadline = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS)
    child.on('error', (error) => fail(error.message))
    child.on('exit', () => fail('ended'))
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = pattern.exec(said)?.[1]
      if (found === undefined) return
      clearTimeout(deadline)
      resolve(found)
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('There is no port')
  return address.port
}

async function until(check: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await delay(100)
    }
  }
}

function delay(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
