import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Device, launchBrowser, OpenConversation, openDevice } from './devices.js'
import { elementsOutside, WIDTHS } from './measure.js'
import { type RunningServer, startServer } from './server.js'

let browser: Browser
let server: RunningServer
let device: Device
let page: Page

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), startServer()])
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})
afterEach(() => device?.close())

async function openAt(route: string, profile?: { userId: string; deviceName: string }): Promise<void> {
  device = await openDevice(browser, { address: server.address, route, ...(profile ? { profile } : {}) })
  page = device.page
}

async function openSample(): Promise<void> {
  await openAt('/')
  await page.getByRole('button', { name: /sample conversations/ }).click()
  await page.locator('[data-key="2:ubuntu"]').waitFor()
}

const menu = async (name: string): Promise<void> => {
  await page.getByRole('button', { name: 'Menu', exact: true }).click()
  await page.getByRole('menuitem', { name, exact: true }).click()
}

/** Opens each view from the list, at the widest window; returns what says that it is there. */
const VIEWS: Readonly<Record<string, () => Promise<unknown>>> = {
  welcome: async () => {
    await openAt('/')
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('alert').waitFor()
  },
  'the list': openSample,
  'a conversation with a long draft, a quote and a message': async () => {
    await openSample()
    const conversation = new OpenConversation(device)
    await page.locator('[data-key="1:hakon_"]').click()
    await page.getByRole('button', { name: 'Reply' }).last().click({ force: true })
    await conversation.type(`${'word '.repeat(60)}${'x'.repeat(200)}`)
    await page.locator('[data-key="1:brunner"]').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Mute' }).click()
    await page.getByTestId('toast').waitFor()
  },
  'the menu': async () => {
    await openSample()
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('menu').waitFor()
  },
  'the dialog for a new conversation': async () => {
    await openSample()
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.getByRole('dialog').waitFor()
  },
  'the dialog for leaving': async () => {
    await openSample()
    await page.locator('[data-key="1:hakon_"]').click()
    await menu('Leave and delete local data')
    await page.getByRole('dialog').waitFor()
  },
  'the deleted conversations': async () => {
    await openSample()
    await page.locator('[data-key="1:hakon_"]').click()
    await menu('Deleted conversations')
    await page.getByRole('dialog').waitFor()
  },
  'the inspector': async () => {
    await openSample()
    await menu('Inspector')
    await page.getByRole('complementary', { name: 'Inspector' }).waitFor()
  },
  about: async () => {
    await openAt('/about')
    await page.getByText('CC BY 4.0').waitFor()
  },
  'two devices': async () => {
    await openAt('/devices')
    await page.locator('.device [data-key]').first().waitFor({ timeout: 20_000 })
  },
}

describe('every view', () => {
  it.each(Object.keys(VIEWS))('[WEB40] %s fits into the window at every width', async (name) => {
    await VIEWS[name]?.()
    const outside: Record<string, string[]> = {}
    for (const width of [...WIDTHS].reverse()) {
      await page.setViewportSize({ width, height: 700 })
      // A menu goes away when the window changes its size.
      if (name === 'the menu' && !(await page.getByRole('menu').isVisible())) {
        await page.getByRole('button', { name: 'Menu', exact: true }).click()
      }
      await expect.poll(() => elementsOutside(page), { message: `${name} at ${width} px` }).toEqual([])
      // It is on the screen at every width, and not only out of the way.
      if (/^the (dialog|deleted)/.test(name)) expect(await page.getByRole('dialog').isVisible()).toBe(true)
      outside[width] = await elementsOutside(page)
    }
    expect(Object.keys(outside)).toHaveLength(WIDTHS.length)
  })

  it('[WEB40] is measured by its elements: one that is too wide is found, though nothing can be scrolled', async () => {
    await openAt('/')
    await page.setViewportSize({ width: 320, height: 568 })
    await page.getByRole('button', { name: 'Start' }).waitFor()
    expect(await elementsOutside(page)).toEqual([])
    await page.locator('.welcome__card').evaluate((card) => {
      ;(card as HTMLElement).style.width = '421px'
    })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
    expect(await elementsOutside(page)).not.toEqual([])
  })
})

describe('the filters', () => {
  it('[WEB41] are all visible at every width, the archive included', async () => {
    await openSample()
    for (const width of [...WIDTHS, 720, 940]) {
      await page.setViewportSize({ width, height: 700 })
      for (const name of ['All', 'Unread', 'Mentions', 'Archive']) {
        const chip = page.getByRole('button', { name: new RegExp(`^${name}`) })
        const hidden = await chip.evaluate((element) => {
          const { left, right, top, bottom } = element.getBoundingClientRect()
          const corners = [
            [left + 4, (top + bottom) / 2],
            [right - 4, (top + bottom) / 2],
          ] as const
          return corners.some(([x, y]) => !element.contains(document.elementFromPoint(x, y)))
        })
        expect(hidden, `${name} at ${width} px`).toBe(false)
      }
    }
  })
})

describe('messages', () => {
  it('[WEB21] never cover the composer', async () => {
    await openSample()
    const conversation = new OpenConversation(device)
    await page.locator('[data-key="1:hakon_"]').click()
    await conversation.type('a draft that\nhas several\nlines')
    for (const key of ['1:brunner', '1:Zombine', '1:neiloo']) {
      await page.locator(`[data-key="${key}"]`).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Archive' }).click()
    }
    await expect.poll(() => page.getByTestId('toast').count()).toBe(3)
    // They stay while the pointer is on them.
    await page.getByTestId('toast').last().hover()
    const sizes = [
      ...WIDTHS.map((width) => [width, 700] as const),
      // A phone with its keyboard open, turned, and a window at 400 %.
      [360, 330],
      [640, 300],
      [320, 256],
    ] as const
    for (const [width, height] of sizes) {
      await page.setViewportSize({ width, height })
      await page.getByTestId('toast').last().waitFor()
      const covered = await page.evaluate(() => {
        const composer = document.querySelector('.composer')?.getBoundingClientRect()
        const toasts = [...document.querySelectorAll('.toast')].map((toast) => toast.getBoundingClientRect())
        if (!composer || toasts.length === 0) return 'nothing to compare'
        return toasts.some(({ top, bottom }) => bottom > composer.top && top < composer.bottom)
      })
      expect(covered, `${width} x ${height}`).toBe(false)
      const field = await conversation.field.evaluate((element) => {
        const { left, top, bottom } = element.getBoundingClientRect()
        return document.elementFromPoint(left + 8, (top + bottom) / 2) === element
      })
      expect(field, `the field at ${width} x ${height}`).toBe(true)
    }
  })
})
