import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMemoryLog, createServer } from '@parley/server'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A name that its owner points at this machine once the page is open: DNS rebinding. */
const REBOUND = 'rebound.example'

let parley: Awaited<ReturnType<typeof createServer>>
let url: string
let strangerUrl: string
let stranger: HttpServer
let browser: Browser

beforeAll(async () => {
  parley = await createServer({ auth: 'open', port: 0, store: createMemoryLog() })
  ;({ url } = await parley.listen())
  stranger = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>A page of somebody else</title>')
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`
  browser = await chromium.launch({
    ...(process.env.CHROMIUM_PATH === undefined ? {} : { executablePath: process.env.CHROMIUM_PATH }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
    ],
  })
})

afterAll(async () => {
  await browser?.close()
  await parley?.close()
  stranger?.close()
})

/** Opens a page and tries from there to get into a room. */
async function tryRoom(from: string, room: string): Promise<{ code: number; reason: string }> {
  const page = await browser.newPage()
  await page.goto(from)
  const closed = await page.evaluate(
    (room) =>
      new Promise<{ code: number; reason: string }>((resolve) => {
        const socket = new WebSocket(room)
        socket.onclose = ({ code, reason }) => resolve({ code, reason })
      }),
    room,
  )
  await page.close()
  return closed
}

describe('pages of other origins, in Chromium', () => {
  it('[O3] a page of another origin gets a close with a code and a reason, and no room', async () => {
    const closed = await tryRoom(strangerUrl, `${url.replace('http', 'ws')}/sync/alice`)
    expect(closed.code).toBe(4421)
    expect(closed.reason).not.toBe('')
  })

  it('[O2] a rebound host name gets neither a room nor a page', async () => {
    const port = new URL(url).port
    const page = await browser.newPage()
    const answer = await page.goto(`http://${REBOUND}:${port}/healthz`)
    expect(answer?.status()).toBe(403)
    const closed = await page.evaluate(
      (room) =>
        new Promise<number>((resolve) => {
          const socket = new WebSocket(room)
          socket.onclose = ({ code }) => resolve(code)
        }),
      `ws://${REBOUND}:${port}/sync/alice`,
    )
    expect(closed).toBe(4421)
    await page.close()
  })

  it('[O3] a page of another origin reads nothing by HTTP', async () => {
    const page = await browser.newPage()
    await page.goto(strangerUrl)
    const answer = await page.evaluate(
      (address) =>
        fetch(address).then(
          (response) => response.status,
          () => 'refused',
        ),
      `${url}/readyz`,
    )
    expect(answer).toBe('refused')
    await page.close()
  })

  it('[O3] a page of its own address gets in', async () => {
    const page = await browser.newPage()
    await page.goto(`${url}/healthz`)
    const opened = await page.evaluate(
      (room) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(room)
          socket.onmessage = () => resolve('synced')
          socket.onclose = ({ code }) => resolve(`closed ${code}`)
        }),
      `${url.replace('http', 'ws')}/sync/alice`,
    )
    expect(opened).toBe('synced')
    await page.close()
  })
})
