import { createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { describeLoss } from './describeLoss.js'

type Look = Parameters<typeof describeLoss>[0]

function open(options: {
  state: string
  disk?: boolean
  server?: boolean
  unsent?: string[]
  drafts?: string[]
}): Look {
  const { state, disk = false, server = false, unsent = [], drafts = [] } = options
  const store = createStore({ userId: 'me' })
  const channel = (channelId: string) => ({ channelId, channelType: 1 })
  for (const name of drafts) store.conversation(channel(name)).draft.set('text')
  return {
    client: { store, status: { getSnapshot: () => ({ connection: { state }, unsaved: { disk, server } }) } },
    unsent: () => unsent.map((name) => ({ channel: channel(name) })),
  } as unknown as Look
}

describe('describeLoss', () => {
  it('[WEB10] says nothing where the server has everything', () => {
    expect(describeLoss(open({ state: 'online', drafts: ['bob'] }), true, true)).toEqual({
      state: 'nothing',
      details: [],
    })
  })

  it.each(['connecting', 'syncing', 'online'])('[WEB10] waits while the connection is %s', (state) => {
    expect(describeLoss(open({ state, server: true }), true, true).state).toBe('waiting')
    expect(describeLoss(open({ state, unsent: ['bob'] }), true, true).state).toBe('waiting')
    // A socket may look open for a while after the network is gone.
    expect(describeLoss(open({ state, server: true }), true, false).state).toBe('lost')
  })

  it.each(['offline', 'needs-auth', 'denied', 'local-only'])(
    '[WEB10] names what is lost in state %s',
    (state) => {
      const look = open({ state, server: true, unsent: ['bob', 'ann', 'bob'], drafts: ['carol'] })
      const { state: loss, details } = describeLoss(look, true, true)
      expect(loss).toBe('lost')
      expect(details[0]).toBe('3 messages not sent yet, to bob, ann.')
      expect(details[1]).toMatch(
        state === 'local-only'
          ? /^All conversations: they are on no server\./
          : /^The last changes of this device/,
      )
      expect(details[1]).toContain('There are drafts to carol.')
    },
  )

  it('[WEB10] leaving without deleting loses only what is neither on disk nor on the server', () => {
    expect(describeLoss(open({ state: 'offline', server: true, unsent: ['bob'] }), false, true).state).toBe(
      'nothing',
    )
    expect(describeLoss(open({ state: 'offline', server: true, disk: true }), false, true).state).toBe('lost')
  })
})
