import { randomUUID } from 'node:crypto'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let devices: Device[]
let laptop: OpenConversation
let phone: OpenConversation

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** Two devices of a new user, both in the conversation with bob. */
beforeEach(async () => {
  const userId = `user-${randomUUID()}`
  const open = (deviceName: string) =>
    openDevice(browser, { address: server.address, profile: { userId, deviceName }, route: '/c/1:bob' })
  devices = await Promise.all([open('Laptop'), open('Phone')])
  const conversations = devices.map((device) => new OpenConversation(device))
  ;[laptop, phone] = conversations as [OpenConversation, OpenConversation]
  await Promise.all(conversations.map((conversation) => conversation.waitUntilSaved()))
})
afterEach(async () => {
  const complaints = devices.flatMap((device) => device.complaints)
  await Promise.all(devices.map((device) => device.close()))
  expect(complaints.filter(isOfThePage)).toEqual([])
})

const both = () => [laptop, phone] as const
const apart = () => Promise.all(both().map((conversation) => conversation.goOffline()))
const together = () => Promise.all(both().map((conversation) => conversation.goOnline()))
const offers = ({ page }: OpenConversation) => page.locator('.other-draft')

describe('a draft on two devices', () => {
  it('[W5] appears on the other as it is typed', async () => {
    await laptop.type('see you at eight')
    await phone.waitForText('see you at eight')
  })

  it('[W7] keeps the letters of both that were typed apart', async () => {
    await laptop.type('see you at eight')
    await phone.waitForText('see you at eight')
    await apart()
    await laptop.placeCaret('')
    await laptop.type('great, ')
    await phone.placeCaret('eight')
    await phone.type(' in the harbour')
    expect(await laptop.text()).toBe('great, see you at eight')
    expect(await phone.text()).toBe('see you at eight in the harbour')
    await together()
    for (const conversation of both())
      await conversation.waitForText('great, see you at eight in the harbour')
  })

  it('[W10] does not move the caret when the other types before and behind it', async () => {
    await laptop.type('one three')
    await phone.waitForText('one three')
    await laptop.placeCaret('one ')
    await phone.placeCaret('')
    await phone.type('zero ')
    await laptop.waitForText('zero one three')
    expect(await laptop.caret()).toBe('zero one '.length)
    await phone.placeCaret('three')
    await phone.type(' four')
    await laptop.waitForText('zero one three four')
    expect(await laptop.caret()).toBe('zero one '.length)
    await laptop.type('two ')
    for (const conversation of both()) await conversation.waitForText('zero one two three four')
  })

  it('[W10] does not move the caret when both sides of it changed while apart', async () => {
    await laptop.type('one three')
    await phone.waitForText('one three')
    await apart()
    await phone.placeCaret('')
    await phone.type('zero ')
    await phone.placeCaret('three')
    await phone.type(' four')
    await laptop.placeCaret('one ')
    await together()
    await laptop.waitForText('zero one three four')
    expect(await laptop.caret()).toBe('zero one '.length)
  })

  it('[W10] lets both type at the same time', async () => {
    await laptop.type('start [] end')
    await phone.waitForText('start [] end')
    await laptop.placeCaret('start [')
    await phone.placeCaret(' end')
    await Promise.all([
      laptop.field.pressSequentially('abcdefghijklmnopqrstuvwxyz', { delay: 12 }),
      phone.field.pressSequentially('0123456789012345678901234', { delay: 12 }),
    ])
    const merged = 'start [abcdefghijklmnopqrstuvwxyz] end0123456789012345678901234'
    for (const conversation of both()) await conversation.waitForText(merged)
  })
})

describe('two drafts begun apart', () => {
  it('[W8] both stay, one in the field and the other beside it', async () => {
    await apart()
    await laptop.type('from the laptop')
    await phone.type('from the phone')
    await together()
    await offers(laptop).getByText('Another draft, from Phone').waitFor({ timeout: 20_000 })
    await offers(phone).getByText('Another draft, from Laptop').waitFor({ timeout: 20_000 })
    // What is in a field while somebody types in it stays there.
    expect(await laptop.text()).toBe('from the laptop')
    expect(await phone.text()).toBe('from the phone')
    await offers(laptop).getByRole('button', { name: 'Use' }).click()
    await laptop.waitForText('from the phone')
    await offers(laptop).getByText('from the laptop').waitFor()
  })

  it('[W8] never replace a text of 2,000 words by one of 20', async () => {
    const words = (count: number, letter: string) =>
      Array.from({ length: count }, (_, place) => `${letter}${place}`).join(' ')
    const [long, short] = [words(2000, 'l'), words(20, 's')]
    await apart()
    await laptop.field.fill(long)
    await phone.field.fill(short)
    await together()
    await offers(laptop).getByText('s0 s1 s2').waitFor({ timeout: 20_000 })
    await offers(phone).getByText('l0 l1 l2').waitFor({ timeout: 20_000 })
    expect((await laptop.text()) === long).toBe(true)
    expect(await phone.text()).toBe(short)
    await Promise.all(both().map((conversation) => conversation.waitUntilSaved()))
    // Whichever of them is in the field after a new start, the other is beside it, whole.
    for (const conversation of both()) {
      await conversation.page.reload()
      await offers(conversation).waitFor({ timeout: 20_000 })
      const first = await conversation.text()
      await offers(conversation).getByRole('button', { name: 'Use' }).click()
      await expect.poll(() => conversation.text()).not.toBe(first)
      const texts = [first, await conversation.text()]
      expect(texts.map((text) => text.length).sort()).toEqual([long.length, short.length].sort())
      expect(texts.includes(long) && texts.includes(short)).toBe(true)
    }
  })

  it('[W8] wait to be dismissed until there was time to think again', async () => {
    await apart()
    await laptop.type('from the laptop')
    await phone.type('from the phone')
    await together()
    await offers(laptop).getByRole('button', { name: 'Dismiss' }).click({ timeout: 20_000 })
    await offers(laptop).waitFor({ state: 'detached' })
    expect(await phone.text()).toBe('from the phone')
    await laptop.page.getByRole('button', { name: 'Undo', exact: true }).click()
    await offers(laptop).getByText('from the phone').waitFor()
  })
})

describe('while one device finishes a draft', () => {
  it('[W9] the other keeps what it typed on, when it was sent', async () => {
    await laptop.type('see you at eight')
    await phone.waitForText('see you at eight')
    await phone.goOffline()
    await phone.placeCaret('eight')
    await phone.type(', or nine')
    await laptop.page.keyboard.press('Enter')
    await expect.poll(() => laptop.own()).toEqual(['see you at eight'])
    await phone.goOnline()
    await phone.waitForText(', or nine')
    expect(await laptop.own()).toEqual(['see you at eight'])
    await phone.page.keyboard.press('Enter')
    await expect.poll(() => laptop.own(), { timeout: 20_000 }).toEqual(['see you at eight', ', or nine'])
  })

  it('[W9] the other keeps what it typed on, when it was discarded', async () => {
    await laptop.type('see you at eight')
    await phone.waitForText('see you at eight')
    await phone.goOffline()
    await phone.placeCaret('eight')
    await phone.type(', or nine')
    await laptop.page.getByRole('button', { name: 'More actions' }).click()
    await laptop.page.getByRole('menuitem', { name: 'Discard draft' }).click()
    await laptop.waitForText('')
    await phone.goOnline()
    await phone.waitForText(', or nine')
  })

  it('[W9] what the other typed and left is offered, not sent and not lost', async () => {
    await laptop.type('see you at eight')
    await phone.waitForText('see you at eight')
    await phone.goOffline()
    await phone.placeCaret('eight')
    await phone.type(', or nine')
    await phone.page.keyboard.press('Escape')
    await laptop.page.keyboard.press('Enter')
    await expect.poll(() => laptop.own()).toEqual(['see you at eight'])
    await phone.goOnline()
    await offers(laptop).getByText('or nine').waitFor({ timeout: 20_000 })
    await laptop.page.keyboard.press('Enter')
    await offers(laptop).getByRole('button', { name: 'Restore' }).click()
    await laptop.waitForText(', or nine')
    expect(await laptop.own()).toEqual(['see you at eight'])
  })

  it('[W5] Enter pressed twice, on both devices, sends once', async () => {
    await laptop.type('only once')
    await phone.waitForText('only once')
    await phone.field.focus()
    await Promise.all(
      both().map(async ({ page }) => {
        await page.keyboard.press('Enter')
        await page.keyboard.press('Enter')
      }),
    )
    await Promise.all(both().map((conversation) => conversation.waitForText('')))
    await expect.poll(() => laptop.own()).toEqual(['only once'])
    await expect.poll(() => phone.own()).toEqual(['only once'])
    await expect.poll(() => laptop.page.getByTestId('pending').count()).toBe(0)
  })
})

describe('side by side', () => {
  it('[W13] two devices of one page part when they are switched off, and merge when they are back', async () => {
    const device = await openDevice(browser, { address: server.address, route: '/devices' })
    devices.push(device)
    const { page } = device
    const [left, right] = ['Laptop', 'Phone'].map((name) => page.getByRole('region', { name, exact: true }))
    if (!left || !right) throw new Error('there are two')
    for (const side of [left, right])
      await side.locator('[data-key="1:Mina Costa"]').click({ timeout: 20_000 })
    const text = (side: typeof left) => side.getByRole('textbox', { name: /^Message to/ })
    await text(left).pressSequentially('eight')
    await expect.poll(() => text(right).inputValue(), { timeout: 20_000 }).toBe('eight')
    await page.getByRole('button', { name: 'Take both off the network' }).click()
    for (const name of ['Laptop', 'Phone']) {
      expect(
        await page.getByRole('switch', { name: `Network of the ${name}` }).getAttribute('aria-checked'),
      ).toBe('false')
    }
    await text(left).press('Home')
    await text(left).pressSequentially('at ')
    await text(right).press('End')
    await text(right).pressSequentially(' sharp')
    expect(await text(left).inputValue()).toBe('at eight')
    expect(await text(right).inputValue()).toBe('eight sharp')
    await page.getByRole('button', { name: 'Bring both back' }).click()
    for (const side of [left, right]) {
      await expect.poll(() => text(side).inputValue(), { timeout: 20_000 }).toBe('at eight sharp')
    }
    const stores = await page.evaluate(async () =>
      (await indexedDB.databases()).map(({ name }) => name ?? ''),
    )
    expect(stores.filter((name) => /laptop|phone/.test(name))).toHaveLength(2)
  })
})
