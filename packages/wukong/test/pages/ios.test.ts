import { inspect } from 'node:util'
import type { Channel } from '@parley/core'
import { describe, expect, it } from 'vitest'
import type { ConversationDelegate, ExtraUpdate, WukongConversation } from '../../src/index.js'
import { startApp, wireConversation, wireMessage } from '../support/app.js'

// The iOS SDK's page on conversations, and the header it describes. Each test is one snippet of theirs, in TypeScript, with
// its names kept; what stands where the snippets say "Implement your server API call here" is YourAPIManager.

const WK_PERSON = 1
const channel: Channel = { channelId: 'user123', channelType: WK_PERSON }
const group: Channel = { channelId: 'group', channelType: 2 }

type Failure = (error: unknown) => void

/** The app's server: what it lists, and the version it names beside it; or the error that each call fails with. */
class YourAPIManager {
  readonly calls: unknown[] = []
  readonly saved: ExtraUpdate[] = []
  error: unknown = null
  conversations: unknown[] = []
  extras: unknown[] = []
  newVersion = 0

  syncConversations(
    version: number,
    lastMsgSeqs: string,
    success: (conversations: unknown, newVersion: number) => void,
    failure: Failure,
  ): void {
    this.calls.push([version, lastMsgSeqs])
    if (this.error) failure(this.error)
    else success(this.conversations, this.newVersion)
  }

  syncConversationExtras(
    version: number,
    success: (extras: unknown, newVersion: number) => void,
    failure: Failure,
  ): void {
    this.calls.push(version)
    if (this.error) failure(this.error)
    else success(this.extras, this.newVersion)
  }

  updateConversationExtra(extra: ExtraUpdate, success: () => void, failure: Failure): void {
    this.calls.push(extra.draft)
    if (this.error) failure(this.error)
    else {
      this.saved.push(extra)
      success()
    }
  }
}

function start(): ReturnType<typeof startApp> & { api: YourAPIManager } {
  const app = startApp({ maxAttempts: 3 })
  const api = new YourAPIManager()
  const conversationManager = app.manager
  conversationManager.setSyncConversationProviderAndAck(
    (version, lastMsgSeqs, callback) => {
      api.syncConversations(
        version,
        lastMsgSeqs,
        (conversations, newVersion) => {
          callback(conversations, newVersion, null)
        },
        (error) => {
          callback(null, version, error)
        },
      )
    },
    (cmdVersion, complete) => {
      app.heard.push(['ack', cmdVersion])
      complete(null)
    },
  )
  conversationManager.setSyncConversationExtraProvider((version, callback) => {
    api.syncConversationExtras(
      version,
      (extras, newVersion) => {
        callback(extras, newVersion, null)
      },
      (error) => {
        callback(null, version, error)
      },
    )
  })
  conversationManager.setUpdateConversationExtraProvider((extra, callback) => {
    api.updateConversationExtra(
      extra,
      () => {
        callback(null)
      },
      (error) => {
        callback(error)
      },
    )
  })
  return { ...app, api }
}

/** A `WKConversation` as the app's API layer makes it. */
function model(of: Channel, seq: number, more: object = {}): object {
  return {
    channel: of,
    lastMessageSeq: seq,
    lastClientMsgNo: `c${seq}`,
    lastMsgTimestamp: 1_700_000_000 + seq,
    lastMessage: {
      messageId: String(seq),
      messageSeq: seq,
      clientMsgNo: `c${seq}`,
      fromUid: of.channelId,
      channel: of,
      timestamp: 1_700_000_000 + seq,
      content: { type: 1, content: `text ${seq}` },
    },
    unreadCount: 1,
    isDeleted: 0,
    ...more,
  }
}

describe('the page: data source', () => {
  it('[PAGE1] setSyncConversationProviderAndAck takes callback(conversations, newVersion, nil), and asks from newVersion next', async () => {
    const { manager: conversationManager, api, heard, errors, pass } = start()
    api.conversations = [model(channel, 3), model(group, 8)]
    api.newVersion = 7
    expect(await conversationManager.syncConversations()).toBe('synced')
    await pass()
    expect(conversationManager.getConversationList().map((row) => row.channel.channelId)).toEqual([
      'group',
      'user123',
    ])
    expect(heard).toEqual([
      ['update', 'user123', 'group'],
      ['ack', 0],
    ])
    api.calls.length = 0
    expect(await conversationManager.syncConversations()).toBe('synced')
    expect(api.calls[0]).toEqual([7, 'user123:1:3|group:2:8'])
    expect(errors).toEqual([])
  })

  it('[PAGE1] callback(nil, version, error) is an error that names its cause, followed by the next try', async () => {
    const { manager: conversationManager, api, heard, errors, pass } = start()
    api.error = {
      domain: 'NSURLErrorDomain',
      code: -1009,
      localizedDescription: 'The connection appears to be offline.',
    }
    const outcome = conversationManager.syncConversations()
    await pass()
    expect(errors.map(String)).toEqual([
      'ProviderError: The provider that syncs conversations failed: The connection appears to be offline. (code -1009, domain NSURLErrorDomain)',
    ])
    api.error = null
    api.conversations = [model(channel, 3)]
    await pass(3000)
    expect([await outcome, heard, api.calls.slice(0, 2)]).toEqual([
      'synced',
      [
        ['update', 'user123'],
        ['ack', 0],
      ],
      [
        [0, ''],
        [0, ''],
      ],
    ])
  })

  it('[PAGE1] syncExtra takes callback(extras, newVersion, nil), and rejects for callback(nil, version, error)', async () => {
    const { manager: conversationManager, api } = start()
    conversationManager.addConversation(wireConversation(channel, 3))
    api.extras = [{ channel, draft: 'from the phone', keepMessageSeq: 2, keepOffsetY: -4 }]
    api.newVersion = 12
    await conversationManager.syncExtra()
    expect(conversationManager.getConversation(channel)?.remoteExtra).toMatchObject({
      draft: 'from the phone',
      keepMessageSeq: 2,
      keepOffsetY: -4,
    })
    api.calls.length = 0
    api.extras = [{ channel, draft: 'typed on', version: 14 }]
    api.newVersion = 15
    await conversationManager.syncExtra()
    expect(conversationManager.getConversationExtra(channel)?.draft).toBe('typed on')
    api.error = 'not reachable'
    await expect(conversationManager.syncExtra()).rejects.toThrow(
      'The provider that syncs extras failed: not reachable',
    )
    expect(api.calls.filter((call) => typeof call === 'number')).toEqual([12, 15])
  })

  it('[PAGE2] setUpdateConversationExtraProvider takes callback(nil), and callback(error) is sent again', async () => {
    const { manager: conversationManager, api, heard, errors, pass } = start()
    conversationManager.addConversation(wireConversation(channel, 3))
    heard.length = 0
    api.error = new Error('offline')
    const extra: ExtraUpdate = {
      channel,
      draft: 'This is a draft message...',
      draftUpdatedAt: Date.now() / 1000,
    }
    conversationManager.updateOrAddExtra(extra)
    expect(heard).toEqual([['update', 'user123']])
    await pass()
    expect(errors.map(String)).toEqual(['ProviderError: The provider that updates an extra failed: offline'])
    api.error = null
    await pass(10_000)
    expect(api.saved).toMatchObject([{ channel, draft: 'This is a draft message...' }])
    await pass(100_000)
    expect(api.saved).toHaveLength(1)
  })
})

describe('the page: list, delegate, operations', () => {
  it('[PAGE3] the delegate gets onConversationAdd, onConversationUpdate, onConversationUnreadCountUpdate and onConversationDelete', () => {
    const { manager: conversationManager, heard } = start()
    heard.length = 0
    const seen: unknown[] = []
    const self: ConversationDelegate = {
      onConversationUpdate(conversations) {
        seen.push(['update', conversations.map(({ unreadCount }) => unreadCount)])
      },
      onConversationUnreadCountUpdate({ channelId }, unreadCount) {
        seen.push(['unread', channelId, unreadCount])
      },
      onConversationDelete({ channelId }) {
        seen.push(['delete', channelId])
      },
      onConversationAdd(conversation) {
        seen.push(['add', conversation.channel.channelId])
      },
    }
    conversationManager.addDelegate(self)
    conversationManager.receive(wireMessage(channel, 1))
    conversationManager.clearUnreadCount(channel)
    conversationManager.deleteConversation(channel)
    expect(seen).toEqual([
      ['add', 'user123'],
      ['update', [1]],
      ['unread', 'user123', 0],
      ['delete', 'user123'],
    ])
    expect(conversationManager.getConversationList()).toEqual([])
  })

  it('[PAGE3] getConversation gives unreadCount, lastMessage.content, timestamp and stick', () => {
    const { manager: conversationManager, store } = start()
    conversationManager.receive(wireMessage(channel, 1))
    store.conversation(channel).pin()
    const conversation = conversationManager.getConversation(channel)
    expect([conversation?.unreadCount, conversation?.lastMessage?.content]).toEqual([
      1,
      { type: 1, content: 'message 1' },
    ])
    expect([conversation?.timestamp, conversation?.lastMessage?.timestamp, conversation?.stick]).toEqual([
      1001,
      1001,
      true,
    ])
    expect(conversationManager.getConversation(group)).toBeNull()
  })

  it('[PAGE3] loadConversations: the list that is there, then syncConversations', async () => {
    const { manager: conversationManager, api } = start()
    conversationManager.receive(wireMessage(channel, 4))
    let shown: readonly WukongConversation[] = []
    const updateConversationUI = (conversations: readonly WukongConversation[]): void => {
      shown = conversations
    }
    conversationManager.addDelegate({
      onConversationUpdate: (conversations) =>
        updateConversationUI(
          [...conversations].sort((obj1, obj2) => {
            if (obj1.stick && !obj2.stick) return -1
            if (!obj1.stick && obj2.stick) return 1
            return obj2.timestamp - obj1.timestamp
          }),
        ),
    })
    const loadConversations = async (): Promise<void> => {
      const conversations = conversationManager.getConversationList()
      if (conversations.length > 0) updateConversationUI(conversations)
      await conversationManager.syncConversations()
    }
    api.conversations = [model(group, 8), model({ channelId: 'pinned', channelType: 1 }, 1, { stick: true })]
    await loadConversations()
    expect(shown.map((row) => row.channel.channelId)).toEqual(['pinned', 'group'])
  })

  it('[PAGE4] saveDraft and getDraftForChannel work by getConversationExtra, which carries extraData of the app', async () => {
    const { manager: conversationManager, api, pass } = start()
    conversationManager.addConversation(wireConversation(channel, 3))
    const saveDraft = (draftText: string, forChannel: Channel): void => {
      const extra = conversationManager.getConversationExtra(forChannel) ?? { channel: forChannel }
      conversationManager.updateOrAddExtra({
        ...extra,
        draft: draftText,
        draftUpdatedAt: Date.now() / 1000,
        extraData: { ...('extraData' in extra ? extra.extraData : {}), label: 'work' },
      })
    }
    const getDraftForChannel = (of: Channel): string | undefined =>
      conversationManager.getConversationExtra(of)?.draft
    expect(conversationManager.getConversationExtra(channel)).toBeNull()
    saveDraft('one', channel)
    saveDraft('two', channel)
    expect(getDraftForChannel(channel)).toBe('two')
    expect(conversationManager.getConversation(channel)?.remoteExtra.extraData).toEqual({ label: 'work' })
    await pass(5000)
    expect(api.saved.at(-1)).toMatchObject({ draft: 'two', extraData: { label: 'work' } })
  })

  it('[PAGE4] updateOrAddExtra for a channel without messages adds no row; its extra is sent with the first message', async () => {
    const { manager: conversationManager, store, api, heard, pass } = start()
    const added: string[] = []
    conversationManager.addDelegate({ onConversationAdd: (row) => added.push(row.channel.channelId) })
    conversationManager.updateOrAddExtra({ channel, draft: 'not yet' })
    await pass(10_000)
    expect([conversationManager.getConversationList(), conversationManager.getConversation(channel)]).toEqual(
      [[], null],
    )
    expect([heard, added, api.saved]).toEqual([[], [], []])
    expect(conversationManager.getConversationExtra(channel)?.draft).toBe('not yet')
    conversationManager.receive(wireMessage(channel, 1))
    expect([heard, added]).toEqual([[['update', 'user123']], ['user123']])
    await pass(10_000)
    expect(api.saved).toMatchObject([{ draft: 'not yet' }])
    // A draft alone that is cleared again was in no list, and leaves none.
    heard.length = 0
    conversationManager.updateOrAddExtra({ channel: group, draft: 'x' })
    store.conversation(group).draft.clear()
    expect(heard).toEqual([])
  })

  it('[PAGE4] an extra that syncExtra brings for a channel without messages adds no row either', async () => {
    const { manager: conversationManager, api, heard } = start()
    api.extras = [{ channel, draft: 'from the phone', version: 3 }]
    await conversationManager.syncExtra()
    expect([conversationManager.getConversationList(), heard]).toEqual([[], []])
    conversationManager.receive(wireMessage(channel, 1))
    expect(conversationManager.getConversationList()).toMatchObject([
      { remoteExtra: { draft: 'from the phone' } },
    ])
  })
})

describe('the header', () => {
  it('[PAGE1] callbacks of two arguments are (model, error) and (extras, error)', async () => {
    const { manager: conversationManager, heard, errors, pass } = start()
    conversationManager.setSyncConversationProviderAndAck((_version, _lastMsgSeqs, callback) =>
      callback(
        { conversations: [{ channel, unread: 1, lastMsgSeq: 3, recents: [wireMessage(channel, 3)] }] },
        null,
      ),
    )
    expect(await conversationManager.connected()).toBe('synced')
    await pass()
    expect(heard).toEqual([['update', 'user123']])
    conversationManager.setSyncConversationExtraProvider((_version, callback) => callback(null, 'failed'))
    await expect(conversationManager.syncExtra()).rejects.toThrow('failed')
    expect(errors).toEqual([])
  })

  it('[PAGE2] WKUpdateConversationExtraCallback is (version, error)', async () => {
    const { manager: conversationManager, errors, pass } = start()
    conversationManager.addConversation(wireConversation(channel, 3))
    const versions: number[] = []
    let answer: [version: number, error: unknown] = [9, null]
    conversationManager.updateConversationExtraProvider = (extra, callback) => {
      versions.push(extra.version)
      callback(...answer)
    }
    conversationManager.updateOrAddExtra({ channel, draft: 'one' })
    await pass()
    answer = [0, new Error('offline')]
    conversationManager.updateOrAddExtra({ channel, draft: 'two' })
    await pass()
    expect([versions, errors.map(String)]).toEqual([
      [0, 9],
      ['ProviderError: The provider that updates an extra failed: offline'],
    ])
  })

  it('[PAGE5] the providers that were set are readable, and those that are properties can be assigned', () => {
    const { manager: conversationManager, reminders } = start()
    const provider = (): void => {}
    const ack = (): void => {}
    conversationManager.setSyncConversationProviderAndAck(provider, ack)
    conversationManager.syncConversationExtraProvider = provider
    conversationManager.updateConversationExtraProvider = provider
    reminders.reminderProvider = provider
    reminders.reminderDoneProvider = provider
    expect([
      conversationManager.syncConversationProvider,
      conversationManager.syncConversationAck,
      conversationManager.syncConversationExtraProvider,
      conversationManager.updateConversationExtraProvider,
      reminders.reminderProvider,
      reminders.reminderDoneProvider,
    ]).toEqual([provider, ack, provider, provider, provider, provider])
  })

  it('[PAGE5] callOnConversationUpdateDelegate and callOnConversationUnreadCountUpdateDelegate call every delegate', () => {
    const { manager: conversationManager, store, heard } = start()
    conversationManager.addConversation(wireConversation(channel, 3))
    heard.length = 0
    const before = store.export()
    conversationManager.callOnConversationUpdateDelegate(conversationManager.getConversation(channel)!)
    conversationManager.callOnConversationUnreadCountUpdateDelegate(channel, 4)
    expect(heard).toEqual([
      ['update', 'user123'],
      ['unread', 'user123', 4],
    ])
    expect(store.export()).toEqual(before)
  })
})

describe('errors and timers', () => {
  it.each([
    [new Error('refused'), 'refused'],
    ['refused', 'refused'],
    [503, '503'],
    [{ code: 500 }, 'code 500'],
    [{ msg: 'no permission', status: 403, token: 'secret' }, 'no permission (status 403)'],
    [{ token: 'secret' }, 'an object with the members token'],
    [{}, 'an object without members'],
  ])('[PAGE6] the error %j of a provider reads as %j', async (error, text) => {
    const { manager: conversationManager, pass } = start()
    conversationManager.setSyncConversationExtraProvider((_version, callback) => callback(null, error))
    await expect(conversationManager.syncExtra()).rejects.toThrow(
      `The provider that syncs extras failed: ${text}`,
    )
    await pass()
  })

  it('[PAGE6] the reason of a ProviderError is what was passed, and printing the error shows no other member of it', async () => {
    const { manager: conversationManager } = start()
    const response = { status: 401, headers: { token: 'secret' } }
    conversationManager.setSyncConversationExtraProvider((_version, callback) => callback(null, response))
    const error = await conversationManager.syncExtra().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'failed', reason: response })
    expect(inspect(error)).not.toContain('secret')
    const cause = new Error('refused')
    conversationManager.setSyncConversationExtraProvider(() => Promise.reject(cause))
    expect(await conversationManager.syncExtra().catch((error: unknown) => error)).toMatchObject({
      cause,
      reason: cause,
    })
  })

  it('[PAGE6] callback(conversations, newVersion) without the third argument says what is missing', async () => {
    const { manager: conversationManager } = start()
    conversationManager.setSyncConversationExtraProvider((_version, callback) => callback([], 7))
    await expect(conversationManager.syncExtra()).rejects.toThrow('pass null as the third')
  })

  it('[PAGE6] an ack that throws or completes with an error is reported with its cause, and the sync stays synced', async () => {
    const { manager: conversationManager, errors, pass } = start()
    const acks = [
      () => {
        throw { code: 500 }
      },
      (_: number, complete: (error?: unknown) => void) => complete('refused'),
    ]
    for (const ack of acks) {
      conversationManager.setSyncConversationProviderAndAck(async () => [], ack)
      expect(await conversationManager.connected()).toBe('synced')
      await pass()
    }
    expect(errors.map(String)).toEqual([
      'ProviderError: The ack of the sync failed: code 500',
      'ProviderError: The ack of the sync failed: refused',
    ])
  })
})
