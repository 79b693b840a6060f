import { createStore } from '@parley/core'
import { afterEach, expect, it } from 'vitest'
import { type ConversationManager, createConversationManager } from '../src/index.js'
import { u1, wireConversation } from './support/app.js'

// Node ends when no timer of this kind is left, so they are what keeps a script alive.
const timersThatKeepAlive = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

let manager: ConversationManager | undefined
afterEach(() => manager?.close())

function start(): ConversationManager {
  const store = createStore({ userId: 'me' })
  manager = createConversationManager(store, { environment: { reportError: () => {} } })
  return manager
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('[PAGE7] a sync that waits for its next try keeps a Node process alive, and disconnected() ends it', async () => {
  const manager = start()
  const before = timersThatKeepAlive()
  manager.setSyncConversationProviderAndAck(async () => {
    throw new Error('offline')
  })
  const outcome = manager.connected()
  await turn()
  expect(timersThatKeepAlive()).toBe(before + 1)
  manager.disconnected()
  expect([await outcome, timersThatKeepAlive()]).toEqual(['stopped', before])
})

it('[PAGE7] an extra that waits to be sent again keeps a Node process alive, and close() ends it', async () => {
  const manager = start()
  const before = timersThatKeepAlive()
  manager.addConversation(wireConversation(u1, 1))
  manager.setUpdateConversationExtraProvider(async () => {
    throw new Error('offline')
  })
  manager.updateOrAddExtra({ channel: u1, draft: 'kept' })
  await turn()
  expect(timersThatKeepAlive()).toBe(before + 1)
  manager.close()
  expect(timersThatKeepAlive()).toBe(before)
})

it('[PAGE7] a sync that is done leaves no timer behind', async () => {
  const manager = start()
  const before = timersThatKeepAlive()
  manager.setSyncConversationProviderAndAck(async () => [wireConversation(u1, 1)])
  expect(await manager.connected()).toBe('synced')
  expect(timersThatKeepAlive()).toBe(before)
})
