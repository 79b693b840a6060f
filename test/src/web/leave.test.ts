import { randomUUID } from 'node:crypto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, isOfThePage, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device
let page: Page
let userId: string
let conversation: OpenConversation

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
/** A user who begins on the welcome page, and has written to bob. */
beforeEach(async () => {
  userId = `alice-${randomUUID().slice(0, 8)}`
  device = await openDevice(browser, { address: server.address })
  page = device.page
  conversation = new OpenConversation(device)
  await begin(page, userId)
  await page.getByRole('button', { name: 'New conversation' }).click()
  await page.getByLabel('Name of a person').fill('bob')
  await page.keyboard.press('Enter')
  await conversation.type('hello bob')
  await page.keyboard.press('Enter')
  await expect.poll(() => conversation.own()).toEqual(['hello bob'])
  await conversation.type('a draft')
  await conversation.waitUntilSaved()
})
afterEach(async () => {
  const { complaints } = device
  await device.close()
  expect(complaints.filter(isOfThePage)).toEqual([])
})

async function begin(on: Page, name: string): Promise<void> {
  await on.getByLabel('Start empty, as').fill(name)
  await on.getByRole('button', { name: 'Start', exact: true }).click()
  await on.getByRole('heading', { name, exact: true }).waitFor()
}
async function ask(item: string, on = page): Promise<void> {
  await on.getByRole('button', { name: 'Menu', exact: true }).click()
  await on.getByRole('menuitem', { name: item, exact: true }).click()
  await on.getByRole('dialog').waitFor()
}
const button = (name: string, on = page) => on.getByRole('button', { name, exact: true })
const deleted = (name: string) => page.getByText(`The local data of ${name} is deleted from this browser.`)

/** All that the browser keeps for the app. */
const kept = (on = page) =>
  on.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }))
const NOTHING = { databases: [], local: [], session: [], caches: [], workers: 0 }

describe('leaving and deleting the local data', () => {
  it('[WEB10] asks first, and changes nothing when it is cancelled', async () => {
    await ask('Leave and delete local data')
    await page.getByText('The server has all changes of this device.').waitFor()
    const [text, ground] = await button('Leave and delete').evaluate((element) => {
      const { color, backgroundColor } = getComputedStyle(element)
      return [color, backgroundColor]
    })
    expect(text).not.toBe(ground)
    // A key that was meant for something else does no harm.
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await conversation.waitForText('a draft')
    expect((await kept()).databases).toHaveLength(1)
  })

  it('[WEB11] removes everything: conversations, messages, settings, the app and two devices', async () => {
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
    await expect.poll(async () => (await kept()).caches.length).toBe(1)
    await button('Menu').click()
    await page.getByRole('menuitem', { name: /^Theme/ }).click()
    await page.goto(`${server.address}/#/devices`)
    await page.locator('.device [data-key]').first().waitFor({ timeout: 20_000 })
    await page.goto(`${server.address}/#/`)
    await page.evaluate(() => sessionStorage.setItem('parley.something', '1'))
    const before = await kept()
    expect(before.databases).toHaveLength(3)
    expect(before.local.length).toBeGreaterThan(5)
    await ask('Leave and delete local data')
    await button('Leave and delete').click()
    await deleted(userId).waitFor({ timeout: 20_000 })
    expect(await kept()).toEqual(NOTHING)
    // Nothing writes any of it back.
    await page.waitForTimeout(1_500)
    expect(await kept()).toEqual(NOTHING)
    expect(await page.evaluate(() => location.hash)).toBe('#/')
  })

  it('[WEB10] says what would be lost without a network, by name, and deletes only when told again', async () => {
    await conversation.goOffline()
    await page.keyboard.press('Enter')
    await page.getByTestId('pending').waitFor()
    await conversation.type('another draft')
    await ask('Leave and delete local data')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('One message not sent yet, to bob.').waitFor()
    await dialog.getByText(/which the server has not confirmed\. There are drafts to bob\./).waitFor()
    expect(await button('Leave and delete').isDisabled()).toBe(true)
    await button('Delete anyway').click()
    await deleted(userId).waitFor({ timeout: 20_000 })
    expect(await kept()).toEqual({ ...NOTHING, workers: 0 })
  })

  it('[WEB10] waits for what is on its way to the server', async () => {
    await conversation.goOffline()
    await conversation.type(' and more')
    await conversation.waitForStatus('Saved on this device – offline')
    await ask('Leave and delete local data')
    await page.getByText('This would be lost:').waitFor()
    await conversation.goOnline()
    await page.getByText('The server has all changes of this device.').waitFor({ timeout: 45_000 })
    await button('Leave and delete').click()
    await deleted(userId).waitFor({ timeout: 20_000 })
    await begin(page, userId)
    await page.locator('[data-key="1:bob"]').click({ timeout: 20_000 })
    await conversation.waitForText('a draft and more')
  })

  it('[WEB12] takes the other tabs along, which write nothing back', async () => {
    const others = [await openTab(device.context), await openTab(device.context)]
    for (const other of others) await other.locator('[data-key="1:bob"]').click()
    const [first, second] = others as [Page, Page]
    await first.getByRole('textbox', { name: /^Message to/ }).pressSequentially(' typed here')
    await conversation.waitUntilSaved()
    await first.getByRole('textbox', { name: /^Message to/ }).pressSequentially('!')
    await ask('Leave and delete local data')
    await button('Leave and delete').or(button('Delete anyway')).last().click()
    for (const tab of [page, ...others]) await button('Start', tab).waitFor({ timeout: 20_000 })
    await deleted(userId).waitFor({ timeout: 20_000 })
    await second.waitForTimeout(1_500)
    for (const other of others) await other.evaluate(() => dispatchEvent(new Event('pagehide')))
    expect(await kept(second)).toEqual(NOTHING)
    for (const other of others) {
      expect(await other.title()).toBe('Parley')
      expect(await other.evaluate(() => location.hash)).toBe('#/')
    }
  })

  it('[WEB12] takes along a tab that shows two devices', async () => {
    const other = await openTab(device.context, '/devices')
    await other.locator('.device [data-key]').first().waitFor({ timeout: 20_000 })
    await ask('Leave and delete local data')
    await button('Leave and delete').click()
    await deleted(userId).waitFor({ timeout: 20_000 })
    expect(await kept()).toEqual(NOTHING)
    await button('Start', other).waitFor()
  })

  it('[WEB11] finishes on the next visit what was interrupted', async () => {
    await page.evaluate((user) => localStorage.setItem('parley.deletion', user), userId)
    await page.reload()
    await deleted(userId).waitFor({ timeout: 20_000 })
    const { databases, local } = await kept()
    expect({ databases, local }).toEqual({ databases: [], local: [] })
  })

  it('[WEB11] leaves what another user has in the same browser', async () => {
    await ask('Leave')
    await button('Leave').last().click()
    await begin(page, `${userId}.b`)
    await conversation.waitForStatus('All changes saved')
    await ask('Leave and delete local data')
    await button('Leave and delete').click()
    await deleted(`${userId}.b`).waitFor({ timeout: 20_000 })
    expect((await kept()).databases).toEqual([`parley/${userId}//0`])
    await begin(page, userId)
    await page.locator('[data-key="1:bob"]').click()
    await conversation.waitForText('a draft')
    await expect.poll(() => conversation.own()).toEqual(['hello bob'])
  })
})

describe('another user', () => {
  it('[WEB13] sees nothing of the one before: no conversation, address, title, message or way back', async () => {
    await page.locator('[data-key="1:bob"]').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Mute' }).click()
    await page.getByTestId('toast').waitFor()
    await page.goto(`${server.address}/#/about`)
    await page.goto(`${server.address}/#/`)
    await page.locator('[data-key="1:bob"]').click()
    await ask('Leave')
    await button('Leave').last().click()
    await begin(page, `carol-${randomUUID().slice(0, 8)}`)
    const seen = async () => ({
      hash: await page.evaluate(() => location.hash),
      text: (await page.locator('#root').textContent())?.includes('bob'),
      title: await page.title(),
      undo: await page.getByRole('button', { name: 'Nothing to undo' }).count(),
    })
    expect(await seen()).toEqual({ hash: '#/', text: false, title: 'Parley', undo: 1 })
    for (let steps = 0; steps < 3; steps++) {
      await page.goBack().catch(() => null)
      await page.waitForTimeout(200)
      expect(await page.evaluate(() => document.querySelector('.conversation'))).toBeNull()
    }
  })

  it('[WEB13] does not send what the one before had waiting', async () => {
    await conversation.goOffline()
    await page.keyboard.press('Enter')
    await page.getByTestId('pending').waitFor()
    await conversation.waitForStatus('Saved on this device – offline')
    await ask('Leave')
    await button('Leave').last().click()
    const other = `carol-${randomUUID().slice(0, 8)}`
    await begin(page, other)
    await conversation.goOnline()
    await conversation.waitUntilSaved()
    expect(await page.getByRole('option').count()).toBe(0)
    await ask('Leave')
    await button('Leave').last().click()
    await begin(page, userId)
    await page.locator('[data-key="1:bob"]').click()
    await expect.poll(() => conversation.own(), { timeout: 45_000 }).toEqual(['hello bob', 'a draft'])
  })

  it('[WEB13] gets no sample that was loading for the one before', async () => {
    await ask('Leave')
    await button('Leave').last().click()
    let load = (): void => {}
    const held = new Promise<void>((resolve) => {
      load = resolve
    })
    await device.context.route('**/sample/index.json', async (route) => {
      await held
      await route.continue()
    })
    await page.getByRole('button', { name: /sample conversations/ }).click()
    await ask('Leave')
    await button('Leave').last().or(button('Leave anyway')).last().click()
    await begin(page, `carol-${randomUUID().slice(0, 8)}`)
    load()
    await page.waitForTimeout(1_000)
    expect(await page.getByRole('option').count()).toBe(0)
  })

  it('[WEB12] takes the other tabs along', async () => {
    const other = await openTab(device.context)
    await other.locator('[data-key="1:bob"]').click()
    await other.getByRole('textbox', { name: /^Message to/ }).pressSequentially(' goes on')
    await ask('Leave')
    await button('Leave').last().click()
    await button('Start', other).waitFor()
    const carol = `carol-${randomUUID().slice(0, 8)}`
    await begin(page, carol)
    expect(await other.evaluate(() => location.hash)).toBe('#/')
    await ask('Leave')
    await button('Leave').last().click()
    await begin(page, userId)
    await page.locator('[data-key="1:bob"]').click()
    await conversation.waitForText('a draft goes on')
  })
})

describe('a name', () => {
  it('[WEB20] that is too long is an error instead of another name', async () => {
    await button('New conversation').click()
    await page.getByLabel('Name of a person').fill('b'.repeat(300))
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('This name has 300 characters.').waitFor()
    expect(await page.getByLabel('Name of a person').inputValue()).toHaveLength(300)
    await page.keyboard.press('Escape')
    await ask('Leave')
    await button('Leave').last().click()
    await page.getByLabel('Start empty, as').fill('c'.repeat(61))
    await button('Start').click()
    await page.getByRole('alert').getByText('at most 60 characters; this one has 61').waitFor()
  })
})

async function openTab(context: BrowserContext, route = '/'): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(`${server.address}/#${route}`)
  return tab
}
