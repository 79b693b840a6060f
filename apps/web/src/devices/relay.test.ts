import { createStore } from '@parley/core'
import { expect, it } from 'vitest'
import { createRelay } from './relay.js'

const BOB = { channelId: 'bob', channelType: 1 }

it('carries what one device does to the other, and after a time apart brings both to the same state', () => {
  const [laptop, phone] = [createStore({ userId: 'me' }), createStore({ userId: 'me' })]
  laptop.conversation(BOB).mute()
  const relay = createRelay()
  const stop = relay.start([laptop, phone])
  const of = (store: typeof laptop) => store.conversation(BOB).getSnapshot()
  expect(of(phone).muted).toBe(true)
  phone.conversation(BOB).pin()
  expect(of(laptop).pinned).toBe(true)

  relay.setOnline(1, false)
  laptop.conversation(BOB).unpin()
  phone.conversation(BOB).unmute()
  expect(of(phone).pinned).toBe(true)
  expect(of(laptop).muted).toBe(true)
  relay.setOnline(1, true)
  expect(laptop.export()).toEqual(phone.export())
  expect(of(laptop)).toMatchObject({ pinned: false, muted: false })

  stop()
  laptop.conversation(BOB).pin()
  expect(of(phone).pinned).toBe(false)
})
