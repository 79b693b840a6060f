import { createStore } from '@parley/core'
import * as Y from 'yjs'

/** The document of a user with conversations of which each has a message, is read in part, and some are pinned. */
export function sampleState(conversations: number): Uint8Array {
  const store = createStore({ userId: 'me' })
  store.receive(
    Array.from({ length: conversations }, (_, group) => ({
      channel: { channelId: `group-${group}`, channelType: 2 },
      messageSeq: 20,
      messageId: String(1_000_000_000_000_000n + BigInt(group)),
      clientMsgNo: `5b6c0f3e-${group}`,
      fromUid: `author-${group % 7}`,
      timestamp: 1_700_000_000_000 + group * 60_000,
      payload: {
        type: 1,
        content: `a message of about eighty characters, which is as long as people write, no ${group}`,
      },
    })),
  )
  store.transact(() => {
    for (let group = 0; group < conversations; group++) {
      const conversation = store.conversation({ channelId: `group-${group}`, channelType: 2 })
      conversation.markRead(20 - (group % 3))
      if (group % 20 === 0) conversation.pin()
    }
  })
  const state = Y.encodeStateAsUpdate(store.doc)
  store.close()
  return state
}
