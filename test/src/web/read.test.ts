import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device
let page: Page

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())
afterEach(async () => {
  const { complaints } = device
  await device.close()
  await server.stop()
  expect(complaints.filter(isOfThePage)).toEqual([])
})

const row = (key: string, on: Page | Locator = page) => on.locator(`[role="option"][data-key="${key}"]`)
/** What the row of a conversation says of its unread messages. */
const unread = async (key: string, on: Page | Locator = page) =>
  Number(/(\d+) unread/.exec((await row(key, on).getAttribute('aria-label')) ?? '')?.[1] ?? 0)
const goOn = () => page.locator('.messages__unread')
const messages = () => page.getByTestId('messages')
const inSight = (text: string) =>
  page
    .locator('.messages__new, .bubble')
    .filter({ hasText: text })
    .first()
    .evaluate((element) => {
      const box = element.getBoundingClientRect()
      const view = element.closest('.messages')?.getBoundingClientRect()
      return view !== undefined && box.bottom > view.top && box.top < view.bottom
    })

async function openSample(): Promise<void> {
  server = await startServer()
  device = await openDevice(browser, { address: server.address })
  page = device.page
  await page.getByRole('button', { name: /sample conversations/ }).click()
  await row('2:ubuntu').waitFor()
}

describe('the read position', () => {
  it('[WEB42] opening a conversation marks as read what is displayed, from its first unread message on', async () => {
    await openSample()
    expect(await unread('2:ubuntu')).toBe(1606)
    await row('2:ubuntu').click()
    await expect.poll(() => unread('2:ubuntu'), { timeout: 20_000 }).toBeLessThan(1606)
    await page.waitForTimeout(500)
    expect(await inSight('New messages')).toBe(true)
    const left = await unread('2:ubuntu')
    expect(left).toBeGreaterThan(1570)
    // What was displayed, and no more: the rows in sight below the line.
    const rows = await messages().evaluate((scroller) => {
      const view = scroller.getBoundingClientRect()
      const line = scroller.querySelector('.messages__new')?.getBoundingClientRect().top ?? 0
      return [...scroller.querySelectorAll('[data-seq]')].filter((element) => {
        const { top, bottom } = element.getBoundingClientRect()
        return top > line && (top + bottom) / 2 <= view.bottom
      }).length
    })
    expect(1606 - left).toBe(rows)

    await messages().hover()
    await page.mouse.wheel(0, 600)
    await expect.poll(() => unread('2:ubuntu')).toBeLessThan(left)
    expect(await unread('2:ubuntu')).toBeGreaterThan(1500)
    // Up again, and away: nothing is taken back.
    const later = await unread('2:ubuntu')
    await page.mouse.wheel(0, -3000)
    await row('1:hakon_').click()
    await page.getByRole('region', { name: 'Conversation: hakon_' }).waitFor()
    expect(await unread('2:ubuntu')).toBe(later)
  })

  it('[WEB42] goes to the end by a button, which reads everything', async () => {
    await openSample()
    await row('2:ubuntu').click()
    // Not by role: Playwright looks through the names of thousands of buttons for that.
    await goOn()
      .filter({ hasText: /^↓ 1,5\d\d unread$/ })
      .click()
    await expect.poll(() => unread('2:ubuntu')).toBe(0)
    await expect.poll(() => goOn().count()).toBe(0)
  })

  it('[WEB42] a conversation whose unread messages are all in sight is read, and the mark "unread" goes', async () => {
    await openSample()
    await row('1:Zombine').click()
    await expect.poll(() => unread('1:Zombine')).toBe(0)
    await row('1:Zombine').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Mark as unread' }).click()
    await expect.poll(() => unread('1:Zombine')).toBe(1)
    await row('1:Zombine').click()
    await expect.poll(() => unread('1:Zombine')).toBe(0)
  })

  it('[WEB42] messages that arrive while the page has not the focus, or is hidden, stay unread', async () => {
    const laptop = await openTwoDevices()
    await row('1:Mina Costa', laptop).click()
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(0)
    await page.evaluate(() => {
      document.hasFocus = () => false
    })
    await minaWrites()
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(1)
    await page.waitForTimeout(300)
    expect(await unread('1:Mina Costa', laptop)).toBe(1)
    await page.evaluate(() => {
      document.hasFocus = () => true
      dispatchEvent(new Event('focus'))
    })
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(0)
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' })
    })
    await minaWrites()
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(1)
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'visible' })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(0)
  })

  it('[WEB42] messages in a device that is scrolled out of the window stay unread', async () => {
    const laptop = await openTwoDevices()
    const phone = page.getByRole('region', { name: 'Phone', exact: true })
    await row('1:Mina Costa', phone).click()
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(0)
    await page.setViewportSize({ width: 320, height: 900 })
    await page.evaluate(() => document.querySelector('.devices__table')?.scrollTo({ left: 0 }))
    await minaWrites()
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(1)
    await page.waitForTimeout(300)
    expect(await unread('1:Mina Costa', laptop)).toBe(1)
    await page.evaluate(() => document.querySelector('.devices__table')?.scrollTo({ left: 600 }))
    await expect.poll(() => unread('1:Mina Costa', laptop)).toBe(0)
  })
})

async function openTwoDevices(): Promise<Locator> {
  server = await startServer()
  device = await openDevice(browser, { address: server.address, route: '/devices' })
  page = device.page
  await page.setViewportSize({ width: 1440, height: 900 })
  const laptop = page.getByRole('region', { name: 'Laptop', exact: true })
  await row('1:Mina Costa', laptop).waitFor({ timeout: 20_000 })
  return laptop
}

/** Three people write in turn; the first is Mina. */
async function minaWrites(): Promise<void> {
  const before = page.getByRole('button', { name: 'Let somebody write' })
  await before.evaluate((button) => {
    for (let times = 0; times < 3; times++) (button as HTMLElement).click()
  })
}
