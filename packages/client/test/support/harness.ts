import { afterEach, expect, vi } from 'vitest'
import {
  type Client,
  type ClientOptions,
  type ClientStatus,
  createClient,
  databaseName,
} from '../../src/index.js'
import { createFakeBrowser } from './browser.js'
import { startTestServer, type TestServerOptions } from './testServer.js'

// Above what `until` waits, which says what it waited for.
vi.setConfig({ testTimeout: 20_000 })

/** The channel that tests write to. */
export const BOB = { channelId: 'bob', channelType: 1 }

/** How long a test waits for what happens by itself. */
const WAIT = { timeout: 8_000, interval: 20 }

/** Waits until `check` throws no more. */
export const until = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, WAIT)

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const statusOf = (client: Client): ClientStatus => client.status.getSnapshot()

/** Types into the draft of one conversation and reads it: an edit that merges and that every tab can see. */
export const type = (client: Client, text: string, channelId = 'bob') =>
  client.store.conversation({ ...BOB, channelId }).draft.set(text)
export const read = (client: Client, channelId = 'bob') =>
  client.store.conversation({ ...BOB, channelId }).getSnapshot().drafts.composer?.text

export const untilStatus = (client: Client, status: object) =>
  until(() => expect(statusOf(client)).toMatchObject(status))
export const untilRead = (client: Client, text: string, channelId = 'bob') =>
  until(() => expect(read(client, channelId)).toBe(text))

let users = 0
const cleanups: Array<() => Promise<unknown>> = []

/** Undoes what a test started, after it, the last first. */
export function onCleanUp(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup)
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A user nobody else has, a browser of theirs, and tabs in it. */
export function createUser(userId = `user ${++users}`) {
  const browser = createFakeBrowser()
  const open = (options: Partial<ClientOptions> = {}): Client => {
    const client = createClient({ userId, deviceName: 'Test', environment: browser.tab(), ...options })
    onCleanUp(() => client.close())
    return client
  }
  return { userId, browser, open, database: databaseName({ userId }), room: encodeURIComponent(userId) }
}

/** A server that is stopped after the test. */
export async function startServer(options: TestServerOptions = {}) {
  const server = await startTestServer(options)
  onCleanUp(() => server.stop())
  return server
}
