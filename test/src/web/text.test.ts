import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { MAX_DRAFT_LENGTH } from '@parley/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Device, launchBrowser, OpenConversation, openDevice } from './devices.js'
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
  device = await openDevice(browser, { address: server.address, profile, route: '/c/1:bob' })
  page = device.page
  await device.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  conversation = new OpenConversation(device)
  await conversation.type('hello ')
})
afterEach(() => device.close())

const tooLong = `${'0123456789'.repeat(MAX_DRAFT_LENGTH / 10 + 1)} the end`
const paste = async (text: string): Promise<void> => {
  await page.evaluate((value) => navigator.clipboard.writeText(value), text)
  await conversation.field.focus()
  await page.keyboard.press('Control+v')
}
const goTo = (name: string) =>
  page.evaluate(
    (hash) => {
      location.hash = hash
    },
    `#/c/${encodeURIComponent(`1:${name}`)}`,
  )

describe('a paste that is too long for a draft', () => {
  it('[WEB20] stays whole in the field, is named with both lengths, and is not sent', async () => {
    await paste(tooLong)
    const notice = page.getByTestId('too-long')
    const lengths = [tooLong.length + 6, MAX_DRAFT_LENGTH].map((length) => length.toLocaleString('en-GB'))
    for (const length of lengths) await notice.getByText(length).waitFor()
    expect(await conversation.text()).toBe(`hello ${tooLong}`)
    await page.keyboard.press('Enter')
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
    expect(await conversation.own()).toEqual([])
    // Shorter again, it is a draft like any other.
    await page.keyboard.press('Control+a')
    await page.keyboard.type('short')
    await notice.waitFor({ state: 'detached' })
    await page.keyboard.press('Enter')
    await expect.poll(() => conversation.own()).toEqual(['short'])
  })

  it('[WEB20] can be copied and saved when the conversation was left, until it is discarded', async () => {
    await paste(tooLong)
    await page.getByTestId('too-long').waitFor()
    await goTo('ann')
    await page.getByRole('region', { name: 'Conversation: ann' }).waitFor()
    expect(await page.getByTestId('rejected').count()).toBe(0)
    await goTo('bob')
    const kept = page.getByTestId('rejected')
    await kept.waitFor()
    await conversation.waitForText('hello ')
    await page.evaluate(() => navigator.clipboard.writeText(''))
    await kept.getByRole('button', { name: 'Copy' }).click()
    await kept.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`hello ${tooLong}`)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      kept.getByRole('link', { name: 'Save as file' }).click(),
    ])
    expect(await readFile(await download.path(), 'utf8')).toBe(`hello ${tooLong}`)
    await kept.getByRole('button', { name: 'Discard' }).click()
    await kept.waitFor({ state: 'detached' })
    expect(await conversation.text()).toBe('hello ')
  })

  it('[WEB20] makes the browser ask before the page goes', async () => {
    await paste(tooLong)
    await page.getByTestId('too-long').waitFor()
    const asked = new Promise<string>((resolve) => {
      page.once('dialog', (dialog) => {
        resolve(dialog.type())
        void dialog.dismiss()
      })
    })
    await page.close({ runBeforeUnload: true })
    expect(await asked).toBe('beforeunload')
    expect(await conversation.text()).toBe(`hello ${tooLong}`)
  })
})
