import 'fake-indexeddb/auto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryLog, createServer, type LogStore, restoreBackup, writeBackup } from '@parley/server'
import { expect, it } from 'vitest'
import {
  createUser,
  onCleanUp,
  read,
  sleep,
  statusOf,
  type,
  untilRead,
  untilStatus,
} from './support/harness.js'

const SAVED = { connection: { state: 'online' }, saved: 'server' }

async function start(store: LogStore, port = 0) {
  const server = await createServer({ store, auth: 'open', port })
  const address = await server.listen()
  onCleanUp(() => server.close())
  return { server, port: address.port, url: `ws://127.0.0.1:${address.port}/sync` }
}

it('[CL21] [CL23] sends a restored server again what that server had confirmed after the backup, also after a reload', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-restore-'))
  onCleanUp(() => rm(folder, { recursive: true }))
  const store = createMemoryLog()
  const { server, port, url } = await start(store)
  const { open, userId } = createUser()
  const first = open({ url })
  type(first, 'before')
  await untilStatus(first, SAVED)
  await writeBackup({ store, path: join(folder, 'backup'), now: Date.now() })
  type(first, 'before and after')
  await untilStatus(first, SAVED)
  // The client notes on its disk that the server has all of it, when nothing happens.
  await sleep(2_500)
  await server.close()
  await first.close()

  const restored = createMemoryLog()
  await restoreBackup({ store: restored, path: join(folder, 'backup'), now: Date.now() })
  const reloaded = open({ url })
  await reloaded.ready
  expect(read(reloaded)).toBe('before and after')
  expect(statusOf(reloaded).unsaved.server).toBe(false)
  await start(restored, port)
  await untilStatus(reloaded, SAVED)
  const other = createUser(userId).open({ url, profile: 'other device' })
  await untilRead(other, 'before and after')
  expect(read(reloaded)).toBe('before and after')
})
