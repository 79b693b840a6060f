import { createStore } from '@parley/core'
import * as Y from 'yjs'
import type { Report } from './scenario.js'

/** The document of a user before the app starts, as an update: two messages of bob, one in a group, and a mention there. */
export function beginning(): Uint8Array {
  const store = createStore({ userId: 'me', deviceName: 'Phone' })
  const text = (channelId: string, channelType: number, messageSeq: number, content: string): void =>
    store.receive({
      channel: { channelId, channelType },
      messageSeq,
      fromUid: 'bob',
      timestamp: 1_700_000_000_000 + messageSeq * 100_000,
      payload: { type: 1, content },
    })
  text('bob', 1, 1, 'hello')
  text('bob', 1, 2, 'hi')
  text('group', 2, 1, 'welcome')
  const group = store.conversation({ channelId: 'group', channelType: 2 })
  group.setReminder({ reminderId: '7', version: 1, data: { reminderType: 1 } })
  return Y.encodeStateAsUpdate(store.doc)
}

/** What the app must show, whichever version of the SDK it uses and wherever its data comes from. */
export const SEEN: Omit<Report, 'heard'> = {
  looks: {
    first: { list: ['bob 2 "hi"', 'group 1 "welcome"'], total: 3 },
    arrived: { list: ['bob 3 "are you there?"', 'group 1 "welcome"'], total: 4 },
    synced: { list: ['bob 3 "are you there?"', 'group 1 "welcome"'], total: 4 },
    cleared: { list: ['bob 0 "are you there?"', 'group 1 "welcome"'], total: 1 },
    deleted: { list: ['group 1 "welcome"'], total: 1 },
  },
  drafts: ['on my way', ''],
  reminders: [[7], []],
}

/** The events of the conversation with bob. */
export const HEARD_OF_BOB: readonly string[] = ['bob update 3', 'bob update 0', 'bob remove 0']

/** Leaves out the group, whose listeners are called whenever reminders are synced. */
export const ofBob = (heard: readonly string[]): string[] => heard.filter((one) => one.startsWith('bob'))
