import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())
// The sample has one user: what one test did would be there in the next.
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server?.stop())

const row = (key: string) => device.page.locator(`[role="option"][data-key="${key}"]`)
const list = () => device.page.getByRole('listbox', { name: 'Conversations' })
const active = () =>
  list().evaluate((element) => {
    const id = element.getAttribute('aria-activedescendant')
    return (id && document.getElementById(id)?.dataset.key) ?? null
  })

describe('the sample', () => {
  beforeEach(async () => {
    device = await openDevice(browser, { address: server.address })
    await device.page.getByRole('button', { name: /sample conversations/ }).click()
    await row('2:ubuntu').waitFor()
  })
  afterEach(async () => {
    const { complaints } = device
    await device.close()
    expect(complaints.filter(isOfThePage), '[W12] errors').toEqual([])
  })

  it('[W1] is offered on the first run, and is there at once on the next visit', async () => {
    const { page } = device
    await expect.poll(() => row('2:ubuntu').getAttribute('aria-setsize')).toBe('64')
    await page.reload()
    await row('2:ubuntu').waitFor({ timeout: 5000 })
    await row('2:ubuntu').click()
    await page.getByText("i'm just in the command line though, is that ok?").waitFor()
    await page.goto(`${server.address}/#/about`)
    await page.getByText('CC BY 4.0').waitFor()
  })

  it('[W12] obeys the content security policy of the server', async () => {
    const response = await device.page.reload()
    expect(response?.headers()['content-security-policy']).toContain("default-src 'self'")
    await row('2:ubuntu').waitFor()
  })

  it('[W2] renders the rows in sight only, and always has some while it scrolls', async () => {
    const { page } = device
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Inspector' }).click()
    await page.getByRole('button', { name: /made-up conversations/ }).click()
    await page.getByRole('button', { name: 'Close the inspector' }).click()
    await expect.poll(() => page.getByRole('option').first().getAttribute('aria-setsize')).toBe('5064')
    const seen = await list().evaluate(async (element) => {
      const counts: number[] = []
      const gaps: number[] = []
      const step = element.clientHeight * 0.9
      for (let top = 0; top < 60 * step; top += step) {
        element.scrollTop = top
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
        const rows = [...element.querySelectorAll<HTMLElement>('[role="option"]')]
        counts.push(rows.length)
        const box = element.getBoundingClientRect()
        const covered = rows.filter((shown) => {
          const { top: rowTop, bottom } = shown.getBoundingClientRect()
          return bottom > box.top && rowTop < box.bottom
        }).length
        if (covered < Math.floor(element.clientHeight / 80)) gaps.push(top)
      }
      return { most: Math.max(...counts), gaps }
    })
    expect(seen.most).toBeLessThanOrEqual(60)
    expect(seen.gaps).toEqual([])
    await list().press('End')
    await expect.poll(() => page.getByRole('option').last().getAttribute('aria-posinset')).toBe('5064')
  })

  it('[W3] is moved in, opened and acted on with keys', async () => {
    const { page } = device
    await list().focus()
    expect(await active()).toBe('2:ubuntu')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await expect.poll(active).toBe('1:hakon_')
    await page.keyboard.press('p')
    await expect.poll(() => row('1:hakon_').getAttribute('aria-posinset')).toBe('1')
    expect(await active()).toBe('1:hakon_')
    expect(await row('1:hakon_').getAttribute('aria-label')).toContain('pinned')
    await page.keyboard.press('m')
    await expect.poll(() => row('1:hakon_').getAttribute('aria-label')).toContain('muted')
    await page.keyboard.press('u')
    await expect.poll(() => row('1:hakon_').getAttribute('aria-label')).not.toContain('unread')
    await page.keyboard.press('u')
    await expect.poll(() => row('1:hakon_').getAttribute('aria-label')).toContain('1 unread')

    await page.keyboard.press('Shift+F10')
    await page.getByRole('menuitem', { name: 'Mark as read' }).waitFor()
    await page.keyboard.press('ArrowDown')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Unpin')
    await page.keyboard.press('Escape')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('listbox')

    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Conversation: hakon_' }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
    await expect.poll(() => row('1:hakon_').getAttribute('aria-label')).not.toContain('unread')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.evaluate(() => location.hash)).toBe('#/')
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('listbox')
    await page.keyboard.press('/')
    await page.keyboard.type('zomb')
    await expect.poll(() => page.getByRole('option').count()).toBe(1)
  })

  it('[W4] brings back what was deleted or archived', async () => {
    const { page } = device
    await list().focus()
    await page.keyboard.press('ArrowDown')
    await expect.poll(active).toBe('1:wirechief4')
    await page.keyboard.press('Delete')
    await row('1:wirechief4').waitFor({ state: 'detached' })
    await expect.poll(active).toBe('1:hakon_')
    await page.getByRole('status').getByText('wirechief4 deleted').waitFor()
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await row('1:wirechief4').waitFor()

    await list().focus()
    await row('1:hakon_').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Archive' }).click()
    await row('1:hakon_').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+z')
    await row('1:hakon_').waitFor()
  })

  it('[W5] [W3] keeps a draft, sends it once, and shows it when the server has it', async () => {
    const { page } = device
    const conversation = new OpenConversation(device)
    await row('1:Zombine').click()
    await conversation.type('try the backports')
    await expect.poll(() => row('1:Zombine').getAttribute('aria-label')).toContain('Draft: try the backports')
    await conversation.waitUntilSaved()
    await page.reload()
    await conversation.waitForText('try the backports')
    await conversation.field.focus()
    await page.keyboard.press('Shift+Enter')
    await conversation.type('or the newer kernel')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await conversation.waitForText('')
    const sent = 'try the backports\nor the newer kernel'
    await expect.poll(async () => (await conversation.own()).filter((text) => text === sent).length).toBe(1)
    await expect.poll(() => page.getByTestId('pending').count()).toBe(0)
    expect(await row('1:Zombine').getAttribute('aria-posinset')).toBe('1')
  })

  it('[W11] brings a message that was refused back into the field', async () => {
    const { page } = device
    const conversation = new OpenConversation(device)
    await row('1:Zombine').click()
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Inspector' }).click()
    await page.getByRole('button', { name: 'Let the next message fail' }).click()
    await page.getByRole('button', { name: 'Close the inspector' }).click()
    await conversation.type('hello')
    await page.keyboard.press('Enter')
    await conversation.waitForText('hello')
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click()
    await conversation.waitForText('')
    await expect.poll(() => conversation.own()).toContain('hello')
  })

  it('[W6] goes on without a network, says so, and sends when it is back', async () => {
    const { page } = device
    const conversation = new OpenConversation(device)
    await row('1:Zombine').click()
    await conversation.waitUntilSaved()
    await conversation.goOffline()
    await conversation.type('from the train')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => page.locator('.status').first().textContent(), { timeout: 20_000 })
      .toBe('Saved on this device – offline')
    await page.getByTestId('pending').getByText('Waiting for the network').waitFor()
    expect(await conversation.own()).not.toContain('from the train')
    await conversation.goOnline()
    await expect.poll(() => conversation.own(), { timeout: 45_000 }).toContain('from the train')
    await conversation.waitUntilSaved()
  })

  it('[W14] opens without a network, with what was done there, and sends it later', async () => {
    const { page } = device
    const conversation = new OpenConversation(device)
    await page.evaluate(() => navigator.serviceWorker.ready)
    await row('1:Zombine').click()
    await conversation.waitUntilSaved()
    await conversation.goOffline()
    await conversation.type('sent on the train')
    await page.keyboard.press('Enter')
    await page.getByTestId('pending').waitFor()
    await conversation.type('and a draft')
    await conversation.waitForStatus('Saved on this device – offline')
    await page.reload()
    await conversation.waitForText('and a draft')
    await page.getByTestId('pending').getByText('sent on the train').waitFor()
    expect(await conversation.own()).not.toContain('sent on the train')
    await conversation.goOnline()
    await expect.poll(() => conversation.own(), { timeout: 45_000 }).toContain('sent on the train')
    expect(await conversation.text()).toBe('and a draft')
  })
})

describe('an empty start', () => {
  it('[W1] [W3] leads from a name to a first message, on a small screen too', async () => {
    device = await openDevice(browser, { address: server.address })
    const { page, complaints } = device
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('alert').getByText('Please enter a name.').waitFor()
    await page.getByLabel('Start empty, as').fill('alice')
    await page.keyboard.press('Enter')
    await page.getByText('No conversations yet.').waitFor()
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.getByLabel('Name of a person').fill('bob')
    await page.keyboard.press('Enter')
    const conversation = new OpenConversation(device)
    await conversation.type('hello bob')
    await page.keyboard.press('Enter')
    await expect.poll(() => conversation.own()).toEqual(['hello bob'])
    expect(await list().isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Back to the list' }).click()
    await row('1:bob').waitFor()
    await row('1:bob').click()
    await page.goBack()
    await row('1:bob').waitFor()
    expect(await page.evaluate(() => location.hash)).toBe('#/')
    await page.setViewportSize({ width: 320, height: 568 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
    await device.close()
    expect(complaints.filter(isOfThePage), '[W12] errors').toEqual([])
  })
})
