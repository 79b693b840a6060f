import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** Starts the browser that the tests were given. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH
  return chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
}

/** One device: a browser profile of its own with the app open. */
export interface Device {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page complained about. */
  readonly complaints: readonly string[]
  close: () => Promise<void>
}

/** Leaves out what the browser itself says about requests and sockets that find no network. */
export function isOfThePage(complaint: string): boolean {
  return !/WebSocket connection to|ERR_INTERNET_DISCONNECTED/.test(complaint)
}

/** What a device begins with. */
export interface DeviceOptions {
  readonly address: string
  /** Leaves out the first run. */
  readonly profile?: { readonly userId: string; readonly deviceName: string }
  /** The part of the address behind the `#`. */
  readonly route?: string
}

/** Opens the app on a new device. */
export async function openDevice(browser: Browser, options: DeviceOptions): Promise<Device> {
  const { address, profile, route = '/' } = options
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  if (profile) {
    const stored = JSON.stringify({ ...profile, sample: false })
    await page.addInitScript((json) => {
      if (localStorage.getItem('parley.profile') === null) localStorage.setItem('parley.profile', json)
    }, stored)
  }
  await page.goto(`${address}/#${route}`)
  return { context, page, complaints, close: () => context.close() }
}

/** The status line says what it said before for a little less than this, so as not to flicker while something is saved. */
const CALM_MS = 800

/** A conversation with one person, open on a device. */
export class OpenConversation {
  readonly page: Page
  readonly #device: Device

  constructor(device: Device) {
    this.#device = device
    this.page = device.page
  }

  get field() {
    return this.page.getByRole('textbox', { name: /^Message to/ })
  }

  text(): Promise<string> {
    return this.field.inputValue()
  }

  caret(): Promise<number | null> {
    return this.field.evaluate((field) => (field as HTMLTextAreaElement).selectionStart)
  }

  /** Puts the caret behind `before`. */
  async placeCaret(before: string): Promise<void> {
    await this.field.focus()
    await this.field.evaluate((field, text) => {
      const { value } = field as HTMLTextAreaElement
      const place = value.indexOf(text) + text.length
      ;(field as HTMLTextAreaElement).setSelectionRange(place, place)
    }, before)
  }

  async type(text: string): Promise<void> {
    await this.field.focus()
    await this.page.keyboard.type(text)
  }

  async goOffline(): Promise<void> {
    await this.#device.context.setOffline(true)
  }

  async goOnline(): Promise<void> {
    await this.#device.context.setOffline(false)
  }

  async waitForText(text: string): Promise<void> {
    await expect.poll(() => this.text(), { timeout: 20_000 }).toBe(text)
  }

  /** Waits until the server has all of this device. */
  waitUntilSaved(): Promise<void> {
    return this.waitForStatus('All changes saved')
  }

  /** Waits until the status line says so of everything that was done before the call. */
  async waitForStatus(text: string): Promise<void> {
    await this.page.waitForTimeout(CALM_MS)
    await expect
      .poll(() => this.page.locator('.status').first().textContent(), { timeout: 20_000 })
      .toBe(text)
  }

  /** The messages of oneself in the history, without those still on their way. */
  own(): Promise<string[]> {
    return this.page
      .locator('.bubble--own:not(.bubble--pending) .bubble__text')
      .evaluateAll((bubbles) => bubbles.map((bubble) => bubble.firstChild?.textContent ?? ''))
  }
}
