import { randomUUID } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device
let page: Page
let conversation: OpenConversation

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
beforeEach(async () => {
  const profile = { userId: `user-${randomUUID()}`, deviceName: 'Laptop' }
  device = await openDevice(browser, { address: server.address, profile })
  page = device.page
  conversation = new OpenConversation(device)
  for (const name of ['ann', 'bob']) {
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.getByLabel('Name of a person').fill(name)
    await page.keyboard.press('Enter')
    await conversation.type(`hello ${name}`)
    await page.keyboard.press('Enter')
    await expect.poll(() => conversation.own()).toEqual([`hello ${name}`])
  }
  await page.keyboard.press('Escape')
  await row('bob').waitFor()
  await page.waitForTimeout(1_100)
})
afterEach(async () => {
  const { complaints } = device
  await device.close()
  expect(complaints.filter(isOfThePage)).toEqual([])
})

const row = (name: string) => page.locator(`[role="option"][data-key="1:${name}"]`)
const label = async (name: string) =>
  (await row(name).count()) > 0 ? row(name).getAttribute('aria-label') : null
const choose = async (name: string, action: string) => {
  await row(name).click({ button: 'right' })
  await page.getByRole('menuitem', { name: action, exact: true }).click()
}
const filter = (name: string) => page.getByRole('button', { name: new RegExp(`^${name}`) }).click()

describe('undo', () => {
  it('[WEB30] takes back every list action of the session in reverse order, with keys', async () => {
    await row('bob').click()
    await conversation.type('a draft')
    await row('ann').click()
    await page.getByRole('region', { name: 'Conversation: ann' }).waitFor()
    const states: Array<readonly [string | null, string | null]> = []
    const state = async () => [await label('ann'), await label('bob')] as const
    const settled = async () => (await state()).map((text) => text?.replace(/, \d\d:\d\d$/, '') ?? null)
    const steps = [
      ['bob', 'Discard draft'],
      ['bob', 'Pin to top'],
      ['bob', 'Unpin'],
      ['bob', 'Mute'],
      ['bob', 'Unmute'],
      ['bob', 'Mark as unread'],
      ['ann', 'Archive'],
      ['bob', 'Delete'],
    ] as const
    for (const [name, action] of steps) {
      states.push((await settled()) as [string | null, string | null])
      const before = JSON.stringify(await settled())
      await choose(name, action)
      await expect.poll(async () => JSON.stringify(await settled()), { message: action }).not.toBe(before)
    }
    await page.getByRole('listbox').focus()
    for (const [place, [, action]] of [...steps.entries()].reverse()) {
      await page.keyboard.press('Control+z')
      await expect.poll(settled, { message: `undoing ${action}` }).toEqual(states[place])
    }
    // Once more does nothing.
    await page.keyboard.press('Control+z')
    expect(await settled()).toEqual(states[0])
    await row('bob').click()
    await conversation.waitForText('a draft')
  })

  it('[WEB30] takes "mark as read" back with the mark "unread", for a read position never moves back', async () => {
    await choose('ann', 'Mark as unread')
    await choose('ann', 'Mark as read')
    await expect.poll(() => label('ann')).not.toContain('unread')
    await page.keyboard.press('Control+z')
    await expect.poll(() => label('ann')).toContain('1 unread')
  })

  it('[WEB30] is a button that names what it undoes', async () => {
    await page.getByRole('button', { name: 'Nothing to undo' }).isDisabled()
    await choose('ann', 'Mute')
    await choose('bob', 'Archive')
    await page.getByRole('button', { name: 'Undo: bob archived' }).click()
    await row('bob').waitFor()
    await page.getByRole('button', { name: 'Undo: ann muted' }).click()
    await expect.poll(() => label('ann')).not.toContain('muted')
  })

  it('[WEB30] belongs to the text while a text field has the focus', async () => {
    await choose('ann', 'Mute')
    await row('bob').click()
    await conversation.type('one')
    await page.keyboard.press('Control+z')
    await expect.poll(() => label('ann')).toContain('muted')
  })

  it('[WEB31] brings a discarded draft back beside what was typed since', async () => {
    await row('bob').click()
    await conversation.type('the first')
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Discard draft' }).click()
    await conversation.waitForText('')
    await conversation.type('the second')
    await page.getByRole('button', { name: /^Undo: Draft to bob/ }).click()
    await page.locator('.other-draft').getByText('the first').waitFor()
    expect(await conversation.text()).toBe('the second')
  })

  it('[WEB32] restores a deleted conversation from the menu, after a reload too', async () => {
    await choose('bob', 'Delete')
    await row('bob').waitFor({ state: 'detached' })
    await conversation.waitUntilSaved()
    await page.reload()
    await row('ann').waitFor()
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Deleted conversations' }).click()
    const dialog = page.getByRole('dialog', { name: 'Deleted conversations' })
    await dialog.getByText('hello bob').waitFor()
    await dialog.getByRole('button', { name: 'Restore bob' }).click()
    await dialog.getByText('No conversation is deleted.').waitFor()
    await page.keyboard.press('Escape')
    await row('bob').waitFor()
    await page.keyboard.press('Control+z')
    await row('bob').waitFor({ state: 'detached' })
  })

  it('[WEB32] restores what was deleted while it was in the archive, into the archive', async () => {
    await choose('bob', 'Archive')
    await filter('Archive')
    await choose('bob', 'Delete')
    await row('bob').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Deleted conversations' }).click()
    await page.getByRole('button', { name: 'Restore bob' }).click()
    await page.keyboard.press('Escape')
    await row('bob').waitFor()
  })
})
