import { createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { deletedConversations } from './deletedConversations.js'

const open = () => {
  const store = createStore({ userId: 'me' })
  const of = (channelId: string) => store.conversation({ channelId, channelType: 1 })
  const say = (channelId: string, messageSeq: number) =>
    store.receive({ channel: of(channelId).channel, messageSeq, fromUid: channelId, timestamp: messageSeq })
  const names = () => deletedConversations(store).map(({ channel }) => channel.channelId)
  return { store, of, say, names }
}

describe('deletedConversations', () => {
  it('[WEB32] lists what is deleted until it is restored or written to', () => {
    const { of, say, names } = open()
    for (const [place, name] of ['ann', 'bob', 'carol'].entries()) say(name, place + 1)
    expect(names()).toEqual([])
    for (const name of ['ann', 'bob']) of(name).delete()
    expect(names()).toEqual(['bob', 'ann'])
    of('bob').restore()
    expect(names()).toEqual(['ann'])
    say('ann', 9)
    expect(names()).toEqual([])
  })

  it('[WEB32] lists a conversation that held only a draft, and not one in which nothing was ever said', () => {
    const { of, names } = open()
    of('ann').draft.set('hello')
    of('ann').draft.leave()
    of('bob').delete()
    of('ann').delete()
    expect(names()).toEqual(['ann'])
    of('ann').restore()
    expect(of('ann').getSnapshot().hidden).toBe(false)
  })
})
