import { randomUUID } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device
let userId: string
let page: Page
let conversation: OpenConversation

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** A user with three conversations: `carol` above `bob` above `ann`. */
beforeEach(async () => {
  userId = `user-${randomUUID()}`
  device = await openDevice(browser, { address: server.address, profile: { userId, deviceName: 'Laptop' } })
  page = device.page
  conversation = new OpenConversation(device)
  for (const name of ['ann', 'bob', 'carol']) {
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.getByLabel('Name of a person').fill(name)
    await page.keyboard.press('Enter')
    await conversation.type(`hello ${name}`)
    await page.keyboard.press('Enter')
    await expect.poll(() => conversation.own()).toEqual([`hello ${name}`])
  }
  await page.keyboard.press('Escape')
  await row('carol').waitFor()
  await rest()
})
afterEach(async () => {
  const { complaints } = device
  await device.close()
  expect(complaints.filter(isOfThePage)).toEqual([])
})

const row = (name: string) => page.locator(`[role="option"][data-key="1:${name}"]`)
const list = () => page.getByRole('listbox', { name: 'Conversations' })
const rest = () => page.waitForTimeout(1_100)
const order = () =>
  page
    .getByRole('option')
    .evaluateAll((rows) =>
      rows
        .sort((a, b) => Number(a.getAttribute('aria-posinset')) - Number(b.getAttribute('aria-posinset')))
        .map((option) => option.getAttribute('data-key')?.slice(2) ?? ''),
    )
const labels = () =>
  page.getByRole('option').evaluateAll((rows) => rows.map((r) => r.getAttribute('aria-label')))
const hash = () => page.evaluate(() => decodeURIComponent(location.hash))
const inField = () => page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA')
const open = async (name: string) => {
  await row(name).click()
  await page.getByRole('region', { name: `Conversation: ${name}` }).waitFor()
}
const toast = (text: string) => page.getByTestId('toast').filter({ hasText: text })

/** Opens another device of the user with the menu of a conversation. */
async function phoneMenu(name: string): Promise<Device> {
  const profile = { userId, deviceName: 'Phone' }
  const phone = await openDevice(browser, { address: server.address, profile })
  const option = phone.page.locator(`[role="option"][data-key="1:${name}"]`)
  await option.click({ button: 'right', timeout: 20_000 })
  return phone
}

/** Lets another device of the user do something with a conversation. */
async function onPhone(name: string, action: string): Promise<void> {
  const phone = await phoneMenu(name)
  await phone.page.getByRole('menuitem', { name: action }).click()
  await new OpenConversation(phone).waitUntilSaved()
  await phone.close()
}

describe('a sentence that loses its field', () => {
  it('[WEB1] neither changes a conversation nor opens one after Esc, whatever its letters', async () => {
    await open('bob')
    await conversation.type('see you')
    const before = await labels()
    await page.keyboard.press('Escape')
    await page.keyboard.type(' /muep time at the museum, please', { delay: 40 })
    for (const key of ['Delete', 'Backspace', 'Enter', 'ArrowRight', 'Space']) await page.keyboard.press(key)
    expect(await hash()).toBe('#/')
    expect(await order()).toHaveLength(3)
    expect((await labels()).map((label) => /muted|pinned|unread/.test(label ?? ''))).toEqual([
      false,
      false,
      false,
    ])
    expect(before).toHaveLength(3)
    expect(await page.getByLabel('Search conversations').inputValue()).toBe('')
  })

  it('[WEB2] says that letters were not typed, and leads back to the draft', async () => {
    await open('bob')
    await conversation.type('see you')
    await page.keyboard.press('Escape')
    await page.keyboard.type(' at the')
    await toast('Not typed').getByRole('button', { name: 'Back to bob' }).click()
    await conversation.waitForText('see you')
    expect(await page.getByTestId('toast').count()).toBe(0)
  })

  it('[WEB1] acts again when there was a pause, and each key can be undone', async () => {
    await open('bob')
    await conversation.type('see you')
    await page.keyboard.press('Escape')
    await rest()
    await page.keyboard.press('m')
    await expect
      .poll(async () => (await labels()).filter((label) => /muted/.test(label ?? '')))
      .toHaveLength(1)
    await page.keyboard.press('Control+z')
    await expect
      .poll(async () => (await labels()).filter((label) => /muted/.test(label ?? '')))
      .toHaveLength(0)
  })

  it('[WEB1] does nothing in the list while an input method composes', async () => {
    await open('bob')
    await conversation.field.focus()
    const session = await page.context().newCDPSession(page)
    await session.send('Input.imeSetComposition', { text: 'にほ', selectionStart: 2, selectionEnd: 2 })
    await page.waitForTimeout(1_100)
    // The list takes the focus, and the composition ends with it.
    await list().focus()
    await page.keyboard.press('e')
    await page.keyboard.press('Delete')
    expect(await order()).toHaveLength(3)
  })

  it('[WEB2] goes on in its field when the list got the focus beside it', async () => {
    await open('bob')
    await conversation.type('see you')
    const box = await list().boundingBox()
    if (!box) throw new Error('the list is there')
    await page.mouse.click(box.x + box.width / 2, box.y + box.height - 5)
    expect(await inField()).toBe(false)
    await page.keyboard.type(' at the museum')
    await conversation.waitForText('see you at the museum')
  })

  it('[WEB5] stays where it is when another device archives or deletes the conversation', async () => {
    await open('bob')
    await conversation.type('see you')
    await onPhone('bob', 'Archive')
    await row('bob').waitFor({ state: 'detached', timeout: 20_000 })
    await page.keyboard.type(' at the')
    await onPhone('carol', 'Delete')
    await row('carol').waitFor({ state: 'detached', timeout: 20_000 })
    await page.keyboard.type(' museum')
    await conversation.waitForText('see you at the museum')
    expect(await hash()).toBe('#/c/1:bob')
  })

  it('[WEB5] does not go on in the conversation that the browser goes back to', async () => {
    await open('ann')
    await page.goto(`${server.address}/#/about`)
    await page.goto(`${server.address}/#/c/${encodeURIComponent('1:bob')}`)
    await page.getByRole('region', { name: 'Conversation: bob' }).waitFor()
    await conversation.type('see you')
    await page.evaluate(() => history.go(-2))
    await page.getByRole('region', { name: 'Conversation: ann' }).waitFor()
    await page.keyboard.type(' at the museum', { delay: 30 })
    expect(await conversation.text()).toBe('')
  })

  it('[WEB5] goes on after a message was closed or undone beside it', async () => {
    await open('bob')
    await row('ann').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Mute' }).click()
    await row('ann').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Pin to top' }).click()
    await conversation.type('see you')
    await toast('ann pinned').getByRole('button', { name: 'Undo', exact: true }).click()
    await page.keyboard.type(' at the')
    await toast('ann muted').getByRole('button', { name: 'Close message' }).click()
    await page.keyboard.type(' museum')
    await page.getByRole('button', { name: /^Undo: ann muted/ }).click()
    await page.keyboard.type(', or not')
    await conversation.waitForText('see you at the museum, or not')
  })

  it('[WEB1] does nothing to the other device of a page that shows two', async () => {
    await page.goto(`${server.address}/#/devices`)
    const [laptop, phone] = ['Laptop', 'Phone'].map((name) => page.getByRole('region', { name, exact: true }))
    if (!laptop || !phone) throw new Error('there are two')
    await laptop.locator('[data-key="1:Mina Costa"]').click({ timeout: 20_000 })
    const rows = await phone.getByRole('option').count()
    await laptop.getByRole('textbox', { name: /^Message to/ }).pressSequentially('see you')
    await phone.getByRole('listbox').evaluate((element) => (element as HTMLElement).focus())
    await page.keyboard.type(' meet me')
    expect(await phone.getByRole('option').count()).toBe(rows)
    expect(await laptop.getByRole('textbox', { name: /^Message to/ }).inputValue()).toBe('see you meet me')
    expect(await phone.getByRole('option', { name: /muted/ }).count()).toBe(
      await laptop.getByRole('option', { name: /muted/ }).count(),
    )
  })
})

describe('keys that are held or pressed twice', () => {
  it('[WEB3] one conversation is deleted while Delete is held', async () => {
    await list().focus()
    await page.keyboard.down('Delete')
    for (let times = 0; times < 5; times++) await page.keyboard.down('Delete')
    await page.keyboard.up('Delete')
    await expect.poll(order).toHaveLength(2)
    await page.waitForTimeout(300)
    expect(await order()).toHaveLength(2)
  })

  it.each(['held', 'pressed twice'])(
    '[WEB3] Enter that is %s opens a conversation and sends nothing',
    async (how) => {
      await open('carol')
      await conversation.type('not finished')
      await page.keyboard.press('Escape')
      await rest()
      await list().focus()
      await page.keyboard.press('Home')
      await page.keyboard.down('Enter')
      if (how === 'pressed twice') await page.keyboard.up('Enter')
      await page.keyboard.down('Enter')
      await page.keyboard.up('Enter')
      await conversation.waitForText('not finished')
      expect(await inField()).toBe(true)
      await page.waitForTimeout(700)
      expect(await conversation.own()).toEqual(['hello carol'])
      await page.keyboard.press('Enter')
      await expect.poll(() => conversation.own()).toEqual(['hello carol', 'not finished'])
    },
  )

  it('[WEB3] Enter that commits a composition does not send', async () => {
    await open('bob')
    await conversation.field.focus()
    await page.waitForTimeout(600)
    const session = await page.context().newCDPSession(page)
    await session.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 })
    await session.send('Input.dispatchKeyEvent', {
      type: 'rawKeyDown',
      key: 'Process',
      windowsVirtualKeyCode: 229,
    })
    await session.send('Input.insertText', { text: '日本' })
    await conversation.waitForText('日本')
    expect(await conversation.own()).toEqual(['hello bob'])
  })
})

describe('the row that is aimed at', () => {
  it('[WEB4] is the one that opens, though leaving a draft sorts the list under the pointer', async () => {
    await open('ann')
    await conversation.type('a draft that moves ann to the top')
    // By hand: Playwright's own click holds back events that go to another element than the first.
    const box = await row('bob').boundingBox()
    if (!box) throw new Error('the row is there')
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await expect.poll(order).toEqual(['ann', 'carol', 'bob'])
    await page.mouse.up()
    await page.getByRole('region', { name: 'Conversation: bob' }).waitFor({ timeout: 5_000 })
    expect(await order()).toEqual(['ann', 'carol', 'bob'])
  })

  it('[WEB4] is the one that a menu acts on, though leaving a draft sorts the list under the pointer', async () => {
    await open('ann')
    await conversation.type('a draft that moves ann to the top')
    await row('bob').click({ button: 'right', delay: 200 })
    await page.getByRole('menu', { name: 'Actions for bob' }).waitFor({ timeout: 5_000 })
    await page.getByRole('menuitem', { name: 'Archive' }).click()
    await expect.poll(order).toEqual(['ann', 'carol'])
  })

  it('[WEB4] is not the next one when another device archives the marked one', async () => {
    await list().focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => list().getAttribute('aria-activedescendant')).toContain('bob')
    const phone = await phoneMenu('bob')
    await phone.page.getByRole('menuitem', { name: 'Archive' }).click()
    await row('bob').waitFor({ state: 'detached', timeout: 20_000 })
    await page.keyboard.press('e')
    await page.waitForTimeout(300)
    await phone.close()
    expect(await order()).toHaveLength(2)
    await rest()
    await page.keyboard.press('e')
    await expect.poll(order).toHaveLength(1)
  })
})

describe('a drop', () => {
  it.each(['a file', 'a link'])('[WEB6] of %s beside the field does not replace the page', async (what) => {
    await open('bob')
    await conversation.type('see you')
    const kept = await page.evaluate((kind) => {
      const data = new DataTransfer()
      if (kind === 'a file') data.items.add(new File(['text'], 'note.txt', { type: 'text/plain' }))
      else data.setData('text/uri-list', 'http://127.0.0.1:1/')
      const targets = ['.messages', '.conversation-list', ...(kind === 'a file' ? ['textarea'] : [])]
      return targets.map((selector) => {
        const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data })
        document.querySelector(selector)?.dispatchEvent(event)
        return event.defaultPrevented
      })
    }, what)
    expect(kept.every(Boolean)).toBe(true)
    expect(await conversation.text()).toBe('see you')
  })
})
