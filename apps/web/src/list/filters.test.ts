import { createStore } from '@parley/core'
import { expect, it } from 'vitest'
import { type FilterName, makeFilter } from './filters.js'

it('filters by view and by words of the name, and keeps the open conversation in sight', () => {
  const store = createStore({ userId: 'me' })
  const say = (channelId: string, mentionsMe = false) =>
    store.receive({
      channel: { channelId, channelType: 1 },
      messageSeq: 1,
      fromUid: channelId,
      timestamp: 1,
      mentionsMe,
    })
  const of = (channelId: string) => store.conversation({ channelId, channelType: 1 })
  say('Mina Costa')
  say('Mina Berg', true)
  say('Oskar')
  of('Mina Costa').markRead()
  of('Oskar').archive()
  const show = (name: FilterName, search = '', selected: string | null = null) => {
    const view = store.list(makeFilter(name, search, selected))
    const names = view.getSnapshot().conversations.map(({ channel }) => channel.channelId)
    view.close()
    return names
  }
  expect(show('all')).toEqual(['Mina Berg', 'Mina Costa'])
  expect(show('unread')).toEqual(['Mina Berg'])
  expect(show('unread', '', '1:Mina Costa')).toEqual(['Mina Berg', 'Mina Costa'])
  expect(show('mentions')).toEqual(['Mina Berg'])
  expect(show('archived')).toEqual(['Oskar'])
  expect(show('all', 'min cos')).toEqual(['Mina Costa'])
  expect(show('all', 'OSK')).toEqual(['Oskar'])
})
