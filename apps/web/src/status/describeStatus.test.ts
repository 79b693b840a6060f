import type { ClientStatus } from '@parley/client'
import { describe, expect, it } from 'vitest'
import { describeStatus } from './describeStatus.js'

const ONLINE: ClientStatus = {
  connection: { state: 'online' },
  storage: { state: 'indexeddb', quarantined: 0 },
  unsaved: { disk: false, server: false },
  saved: 'server',
  ready: true,
  tab: 'leader',
  divergence: null,
  refused: [],
}
const status = (change: Partial<ClientStatus>): ClientStatus => ({ ...ONLINE, ...change })
const unsaved = { disk: false, server: true }
const reason = { code: 'unreachable', message: 'The server does not answer' } as const
const full = { code: 'quota-exceeded', message: 'full' } as const

describe('describeStatus', () => {
  it.each<[string, string, ClientStatus]>([
    ['ok', 'All changes saved', ONLINE],
    ['busy', 'Opening …', status({ ready: false })],
    ['busy', 'Saving …', status({ unsaved, saved: 'disk' })],
    ['busy', 'Connecting …', status({ connection: { state: 'connecting' }, unsaved, saved: 'disk' })],
    ['busy', 'Syncing …', status({ connection: { state: 'syncing' }, unsaved, saved: 'disk' })],
    [
      'offline',
      'Saved on this device – offline',
      status({ connection: { state: 'offline', reason }, unsaved, saved: 'disk' }),
    ],
    [
      'busy',
      'Saving …',
      status({
        connection: { state: 'offline', reason },
        unsaved: { disk: true, server: true },
        saved: 'memory',
      }),
    ],
    ['ok', 'Saved on this device', status({ connection: { state: 'local-only' }, unsaved, saved: 'disk' })],
    [
      'problem',
      'Sign in again to sync',
      status({ connection: { state: 'needs-auth' }, unsaved, saved: 'disk' }),
    ],
    [
      'problem',
      'The server refuses to sync',
      status({ connection: { state: 'denied' }, unsaved, saved: 'disk' }),
    ],
    [
      'problem',
      'Not saved: storage is full',
      status({
        storage: { state: 'indexeddb', reason: full, quarantined: 0 },
        unsaved: { disk: true, server: true },
        saved: 'memory',
      }),
    ],
    [
      'problem',
      'Saved on the server only',
      status({
        storage: { state: 'indexeddb', reason: full, quarantined: 0 },
        unsaved: { disk: true, server: false },
      }),
    ],
    [
      'problem',
      'Not saved: this browser keeps no data',
      status({
        connection: { state: 'offline', reason },
        storage: {
          state: 'memory',
          reason: { code: 'unavailable', message: 'no IndexedDB' },
          quarantined: 0,
        },
        unsaved: { disk: true, server: true },
        saved: 'memory',
      }),
    ],
  ])('%s: %s', (tone, text, given) => {
    expect(describeStatus(given)).toMatchObject({ tone, text })
  })

  it('believes a browser that says there is no network, unless the server still confirms', () => {
    const waiting = status({ unsaved, saved: 'disk' })
    expect(describeStatus(waiting, false)).toMatchObject({
      tone: 'offline',
      text: 'Saved on this device – offline',
    })
    expect(describeStatus(ONLINE, false)).toMatchObject({ tone: 'ok' })
  })
})
