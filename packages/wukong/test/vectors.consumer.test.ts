import { describe, expect, it } from 'vitest'
import type { SyncConversationProvider } from '../src/index.js'
import { type App, g1, startApp, u1, u9, wireConversation, wireMessage } from './support/app.js'

// Test vectors of the WuKongIM provider API. Each title has the vector's number and whether its behaviour is kept, a known
// defect is fixed, or an input is survived (guard). Where the outcome differs on purpose the test says so.

/** Answers every sync with the same, and writes down what it was asked. */
function answering(app: App, answer: unknown): SyncConversationProvider {
  return (version, lastMsgSeqs, callback) => {
    app.heard.push(['sync', version, lastMsgSeqs])
    callback(answer)
  }
}

function withAck(app: App, provider: SyncConversationProvider): void {
  app.manager.setSyncConversationProviderAndAck(provider, (cmdVersion, complete) => {
    app.heard.push(['ack', cmdVersion])
    complete()
  })
}

async function synced(app: App, answer: unknown): Promise<void> {
  withAck(app, answering(app, answer))
  await app.manager.connected()
  await app.pass()
}

/** u1 with version 7, g1 with version 30, u9 with version 40 and deleted. */
async function threeConversations(app: App): Promise<void> {
  await synced(app, [
    wireConversation(u1, 5, { version: 7 }),
    wireConversation(g1, 9, { version: 30 }),
    wireConversation(u9, 1, { version: 40 }),
  ])
  app.manager.deleteConversation(u9)
  app.heard.length = 0
}

describe('the provider contract', () => {
  it('[J-01] keep: the version counts deleted conversations', async () => {
    const app = startApp()
    await threeConversations(app)
    await synced(app, [])
    expect(app.heard[0]).toEqual(['sync', 40, expect.any(String)])
  })

  it('[J-02] keep: nothing is version 0 and no lastMsgSeqs', async () => {
    const app = startApp()
    await synced(app, [])
    expect(app.heard[0]).toEqual(['sync', 0, ''])
  })

  it('[J-03] keep: iOS lists deleted ones, and no commands or unknown types', async () => {
    const app = startApp()
    await threeConversations(app)
    app.manager.receive([
      wireMessage(u1, 6, { payload: { type: 99, cmd: 'x' } }),
      // Differs: the store keeps the newest message only. It asks from before one of an unknown type, which iOS asks from
      // too if nothing lies between.
      wireMessage(u1, 6, { payload: { type: 0 } }),
    ])
    await synced(app, [])
    const [, , held] = app.heard.find((entry) => Array.isArray(entry) && entry[0] === 'sync') as string[]
    expect(new Set(held?.split('|'))).toEqual(new Set(['u1:1:5', 'g1:2:9', 'u9:1:1']))
  })

  it('[J-04] keep: Android leaves deleted ones out, and counts every type', async () => {
    const app = startApp({ emulate: 'android' })
    await threeConversations(app)
    app.manager.receive(wireMessage(u1, 7, { payload: { type: 0 } }))
    app.heard.length = 0
    await synced(app, [])
    expect(new Set((app.heard[0] as string[])[2]?.split('|'))).toEqual(new Set(['u1:1:7', 'g1:2:9']))
  })

  it('[J-05] keep: a conversation without messages is not listed', async () => {
    const app = startApp()
    app.store.conversation(u1).draft.set('only a draft')
    await synced(app, [])
    expect(app.heard.at(-2)).toEqual(['sync', 0, ''])
  })

  it('[J-06] keep, with an end: an error is followed by the same again after 3 s', async () => {
    const app = startApp({ maxAttempts: 3 })
    let calls = 0
    withAck(app, (_, __, callback) => {
      calls++
      callback(null, new Error('offline'))
    })
    const outcome = app.manager.connected()
    await app.pass(2999)
    expect(calls).toBe(1)
    await app.pass(1)
    expect(calls).toBe(2)
    await app.pass(10_000)
    expect([calls, await outcome]).toEqual([3, 'stopped'])
    expect(app.heard).toEqual([])
  })

  it('[J-06] keep, with an end: it stops when the connection goes or the manager is closed', async () => {
    for (const end of ['disconnected', 'close'] as const) {
      const app = startApp()
      let calls = 0
      withAck(app, (_, __, callback) => {
        calls++
        callback(null, 'offline')
      })
      const outcome = app.manager.connected()
      await app.pass()
      app.manager[end]()
      await app.pass(60_000)
      expect([calls, await outcome, app.manager.isSyncing]).toEqual([1, 'stopped', false])
    }
  })

  it('[J-07] keep: an error beside an answer counts', async () => {
    const app = startApp({ maxAttempts: 1 })
    withAck(app, (_, __, callback) => callback([wireConversation(u1, 1)], 'error'))
    expect(await app.manager.connected()).toBe('stopped')
    expect(app.manager.getConversationList()).toEqual([])
  })

  it.each([
    ['[J-08] keep: neither answer nor error', undefined],
    ['[J-09] keep: an empty answer', { conversations: [] }],
    ['[J-27] keep: null', null],
  ])('%s is a success with nothing in it', async (_, answer) => {
    const app = startApp()
    app.reminders.setReminderProvider((_, callback) => {
      app.heard.push('reminders')
      callback([])
    })
    app.manager.setSyncConversationExtraProvider((_, callback) => {
      app.heard.push('extras')
      callback([])
    })
    await synced(app, answer)
    expect(app.heard).toEqual([['sync', 0, ''], ['ack', 0], 'reminders', 'extras'])
  })

  it('[J-10] keep: merge, durable, ack, reminders, extras; none of the last three waits', async () => {
    let stored = (): void => {}
    const app = startApp({ whenStored: () => new Promise<void>((resolve) => (stored = resolve)) })
    app.reminders.setReminderProvider(() => void app.heard.push('reminders'))
    app.manager.setSyncConversationExtraProvider(() => void app.heard.push('extras'))
    app.manager.setSyncConversationProviderAndAck(answering(app, [wireConversation(u1, 1)]), (version) => {
      app.heard.push(['ack', version])
    })
    const outcome = app.manager.connected()
    await app.pass(10)
    expect(app.heard).toEqual([
      ['sync', 0, ''],
      ['update', 'u1'],
    ])
    stored()
    expect(await outcome).toBe('synced')
    await app.pass()
    expect(app.heard.slice(2)).toEqual([['ack', 0], 'reminders', 'extras'])
  })

  it('[J-11] keep: an ack that fails, never completes or completes twice has no effect', async () => {
    for (const ack of [
      () => {
        throw new Error('no')
      },
      () => {},
      (_: number, complete: (error?: unknown) => void) => {
        complete('no')
        complete('no')
      },
      async () => Promise.reject(new Error('no')),
    ]) {
      const app = startApp()
      app.manager.setSyncConversationProviderAndAck(answering(app, []), ack)
      app.manager.setSyncConversationExtraProvider(() => void app.heard.push('extras'))
      expect(await app.manager.connected()).toBe('synced')
      await app.pass()
      expect(app.heard).toEqual([['sync', 0, ''], 'extras'])
    }
  })

  it('[J-12] guard: no ack is fine', async () => {
    const app = startApp()
    app.manager.setSyncConversationProviderAndAck(answering(app, []))
    expect(await app.manager.connected()).toBe('synced')
  })

  it('[J-13] keep: without a provider there is no ack, and neither reminders nor extras are asked for', async () => {
    const app = startApp()
    app.reminders.setReminderProvider(() => void app.heard.push('reminders'))
    app.manager.setSyncConversationExtraProvider(() => void app.heard.push('extras'))
    expect(await app.manager.connected()).toBe('no-provider')
    expect(app.heard).toEqual([])
  })

  it('[J-14] guard: a second call back is ignored', async () => {
    const app = startApp()
    withAck(app, (_, __, callback) => {
      callback([wireConversation(u1, 1)])
      callback([wireConversation(g1, 1)])
      callback(null, 'error')
    })
    await app.manager.connected()
    await app.pass(10_000)
    expect(app.heard).toEqual([
      ['update', 'u1'],
      ['ack', 0],
    ])
  })

  it('[J-15] guard: a provider that never calls back is an error after a while', async () => {
    const app = startApp({ timeoutMs: 500, maxAttempts: 2 })
    withAck(app, () => void app.heard.push('asked'))
    const outcome = app.manager.connected()
    await app.pass(20_000)
    expect([await outcome, app.heard]).toEqual(['stopped', ['asked', 'asked']])
    expect(app.errors).toMatchObject([{ code: 'timeout' }, { code: 'timeout' }])
  })

  it('[J-16] fix: [J-24] keep: a conversation without recents is stored, as Android does', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5, { unread: 5 })])
    await synced(app, [wireConversation(u1, 5, { unread: 2, version: 99, recents: [] })])
    expect(app.unread(u1)).toBe(2)
    await synced(app, [])
    expect(app.heard.at(-2)).toEqual(['sync', 99, 'u1:1:5'])
  })

  it('[J-17] keep: the count is taken over', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 9, { unread: 7 })])
    expect(app.unread(u1)).toBe(7)
    await synced(app, [wireConversation(u1, 9, { unread: 2, version: 10 })])
    expect(app.unread(u1)).toBe(2)
  })

  it('[J-18] keep: a deleted conversation comes back, differs: with a newer message only', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5)])
    app.manager.deleteConversation(u1)
    await synced(app, [wireConversation(u1, 5, { version: 6 })])
    expect(app.manager.getConversation(u1)).toBeNull()
    app.heard.length = 0
    await synced(app, [wireConversation(u1, 6)])
    expect(app.manager.getConversation(u1)).toMatchObject({ isDeleted: 0, lastMessageSeq: 6 })
    expect(app.heard).toContainEqual(['update', 'u1'])
  })

  it("[J-19] keep: the app's own attributes stay", async () => {
    const app = startApp()
    app.store.conversation(u1).setAttribute('k', 1)
    await synced(app, [wireConversation(u1, 5)])
    expect(app.manager.getConversation(u1)?.extra).toEqual({ k: 1 })
  })

  it('[J-20] fix: mute and stick are stored, and what is changed here afterwards stays', async () => {
    const app = startApp()
    const answer = { conversations: [wireConversation(u1, 5, { mute: 1, stick: 1 })] }
    await synced(app, answer)
    expect(app.manager.getConversation(u1)).toMatchObject({ mute: true, stick: true })
    app.store.conversation(u1).unmute()
    await synced(app, answer)
    expect(app.manager.getConversation(u1)).toMatchObject({ mute: false, stick: true })
    await synced(app, { conversations: [wireConversation(u1, 5)] })
    expect(app.manager.getConversation(u1)).toMatchObject({ mute: false, stick: false })
  })

  it('[J-21] fix: an extra inside of a conversation is taken in by its version', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5, { extra: { draft: 'x', version: 5 } })])
    expect(app.manager.getConversation(u1)?.remoteExtra.draft).toBe('x')
    await synced(app, [wireConversation(u1, 5, { extra: { draft: 'old', version: 4 } })])
    expect(app.manager.getConversation(u1)?.remoteExtra.draft).toBe('x')
  })

  it('[J-22] keep: one update in the order of the answer', async () => {
    const app = startApp()
    const settings = { mute: 1, stick: 1, extra: { draft: 'd', version: 1 } }
    await synced(app, {
      conversations: [wireConversation(g1, 1, settings), wireConversation(u9, 2), wireConversation(u1, 3)],
    })
    expect(app.heard.slice(1, -1)).toEqual([['update', 'g1', 'u9', 'u1']])
  })

  it('[J-23] keep: a topic has its community as parent, an @ elsewhere means nothing', async () => {
    const app = startApp()
    const topic = { channelId: 'c1@t9', channelType: 5 }
    const person = { channelId: 'a@b', channelType: 1 }
    await synced(app, [wireConversation(topic, 1), wireConversation(person, 1)])
    expect(app.manager.getConversation(topic)?.parentChannel).toEqual({ channelId: 'c1', channelType: 4 })
    expect(app.manager.getConversation(person)?.parentChannel).toBeNull()
  })

  it('[J-25] guard: no last_client_msg_no beside recents', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5, { last_client_msg_no: null })])
    expect(app.manager.getConversation(u1)?.lastMessageSeq).toBe(5)
  })

  it('[J-26] keep: a deletion told on the newest message, differs: once', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5)])
    const told = [wireConversation(u1, 5, { recents: [wireMessage(u1, 5, { is_deleted: 1 })] })]
    await synced(app, told)
    expect(app.manager.getConversation(u1)).toBeNull()
    app.manager.recoveryConversation(u1)
    await synced(app, told)
    expect(app.manager.getConversation(u1)).not.toBeNull()
  })

  it("[J-28] guard: somebody else's answer is not taken in", async () => {
    const app = startApp({ maxAttempts: 1 })
    withAck(app, answering(app, { uid: 'other', conversations: [wireConversation(u1, 1)] }))
    expect(await app.manager.connected()).toBe('stopped')
    expect(app.manager.getConversationList()).toEqual([])
  })
})

describe('local operations and delegates', () => {
  async function fiveMessages(): Promise<App> {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5, { unread: 1 })])
    app.heard.length = 0
    return app
  }

  it('[J-29] keep: a message raises the count', async () => {
    const app = await fiveMessages()
    app.manager.receive(wireMessage(u1, 6))
    expect(app.manager.getConversation(u1)).toMatchObject({ unreadCount: 2, lastMessageSeq: 6 })
    expect(app.heard).toEqual([['update', 'u1']])
  })

  it('[J-30] keep: several at once are one update; differs: an own message reads what was before', async () => {
    const app = await fiveMessages()
    app.manager.receive([wireMessage(u1, 6), wireMessage(u1, 7), wireMessage(u1, 8, { from_uid: 'me' })])
    expect(app.manager.getConversation(u1)).toMatchObject({ unreadCount: 0, lastMessageSeq: 8 })
    expect(app.heard).toEqual([['update', 'u1']])
  })

  it('[J-31] keep the count: a message that comes late was counted by its number already', async () => {
    const app = startApp()
    app.manager.receive([wireMessage(u1, 1), wireMessage(u1, 2), wireMessage(u1, 4), wireMessage(u1, 5)])
    app.store.conversation(u1).markRead(2)
    app.manager.receive(wireMessage(u1, 3))
    // Differs: nothing changes any more, so no delegate is told.
    expect(app.manager.getConversation(u1)).toMatchObject({ unreadCount: 3, lastMessageSeq: 5 })
  })

  it('[J-32] fix: an older own message in a deleted conversation is told to nobody', async () => {
    const app = await fiveMessages()
    app.manager.deleteConversation(u1)
    app.heard.length = 0
    app.manager.receive(wireMessage(u1, 3, { from_uid: 'me' }))
    expect([app.manager.getConversation(u1), app.heard]).toEqual([null, []])
  })

  it('[J-33] keep: commands and what is not kept change nothing', async () => {
    const app = await fiveMessages()
    app.manager.receive([
      wireMessage(u1, 6, { header: { no_persist: 1 } }),
      wireMessage(u1, 7, { payload: { type: 99 } }),
    ])
    expect([app.heard, app.manager.getConversation(u1)?.lastMessageSeq]).toEqual([[], 5])
  })

  it('[J-34] keep: a message that comes twice counts once', async () => {
    const app = await fiveMessages()
    app.manager.receive(wireMessage(u1, 6))
    app.manager.receive(wireMessage(u1, 6))
    expect([app.unread(u1), app.heard]).toEqual([2, [['update', 'u1']]])
  })

  it('[J-35] keep: a new conversation comes as an update, with an optional onConversationAdd before it', async () => {
    const app = startApp()
    app.manager.addDelegate({ onConversationAdd: (row) => app.heard.push(['add', row.unreadCount]) })
    app.manager.receive(wireMessage(u1, 1))
    expect(new Set(app.heard)).toEqual(
      new Set([
        ['add', 1],
        ['update', 'u1'],
      ]),
    )
    expect(app.heard[0]).toEqual(['add', 1])
  })

  it('[J-36] keep: clearing an unknown conversation tells 0 and makes nothing', () => {
    const app = startApp()
    app.manager.clearConversationUnreadCount(u1)
    expect([app.heard, app.store.keys()]).toEqual([[['unread', 'u1', 0]], []])
  })

  it('[J-37] keep: setting a count tells only the count; differs: raising it is a mark', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 9, { unread: 7 })])
    app.heard.length = 0
    app.manager.setConversationUnreadCount(u1, 4)
    expect([app.unread(u1), app.heard]).toEqual([4, [['unread', 'u1', 4]]])
    app.manager.clearConversationUnreadCount(u1)
    app.manager.setConversationUnreadCount(u1, 4)
    expect(app.heard.slice(1)).toEqual([
      ['unread', 'u1', 0],
      ['unread', 'u1', 1],
    ])
  })

  it('[J-38] keep: a deleted conversation is told, hidden, and still counted in the version', async () => {
    const app = await fiveMessages()
    app.manager.deleteConversation(u1)
    expect([app.heard, app.manager.getConversationList()]).toEqual([[['delete', 'u1']], []])
    await synced(app, [])
    expect(app.heard).toContainEqual(['sync', 5, 'u1:1:5'])
  })

  it('[J-39] fix: a recovered conversation is an update', async () => {
    const app = await fiveMessages()
    app.manager.deleteConversation(u1)
    app.heard.length = 0
    app.manager.recoveryConversation(u1)
    expect([app.heard, app.manager.getConversation(u1)?.isDeleted]).toEqual([[['update', 'u1']], 0])
  })

  it('[J-40] keep: recovering what is unknown does nothing', () => {
    const app = startApp()
    app.manager.recoveryConversation(u1)
    expect([app.heard, app.store.keys()]).toEqual([[], []])
  })

  it('[J-41] keep: deleting all is told once, and the next sync begins anew', async () => {
    const app = startApp()
    await threeConversations(app)
    app.manager.deleteAllConversations()
    expect(app.heard).toEqual([['all deleted']])
    await synced(app, [])
    expect(app.heard[1]).toEqual(['sync', 0, ''])
  })

  it('[J-42] keep: the total of iOS counts muted ones and no deleted ones, that of Flutter no muted ones', async () => {
    for (const [emulate, total] of [
      ['ios', 5],
      ['flutter', 2],
    ] as const) {
      const app = startApp({ emulate })
      await synced(app, [
        wireConversation(u1, 9, { unread: 2 }),
        wireConversation(g1, 9, { unread: 3, mute: 1 }),
        wireConversation(u9, 9, { unread: 4 }),
      ])
      // Differs from Flutter's own: what is deleted has no badge anywhere.
      app.manager.deleteConversation(u9)
      expect(app.manager.getAllConversationUnreadCount()).toBe(total)
    }
  })

  it('[J-43] keep: the newest first', async () => {
    const app = startApp()
    const at = (channel: typeof u1, timestamp: number): object =>
      wireConversation(channel, 1, { recents: [wireMessage(channel, 1, { timestamp })] })
    await synced(app, [at(u1, 100), at(g1, 200), at(u9, 300)])
    expect(app.manager.getConversationList().map(({ channel }) => channel.channelId)).toEqual([
      'u9',
      'g1',
      'u1',
    ])
  })
})

describe('extras', () => {
  /** An app with one conversation and a provider that takes extras. */
  async function withUpload(
    answer: (callback: (version?: number | null, error?: unknown) => void) => void,
  ): Promise<App> {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5)])
    app.manager.setUpdateConversationExtraProvider((extra, callback) => {
      app.heard.push(['upload', extra.draft, extra.version])
      answer(callback)
    })
    app.heard.length = 0
    return app
  }

  it('[J-44] keep: write, one update, upload', async () => {
    const app = await withUpload((callback) => callback(9))
    app.manager.updateOrAddExtra({ channel: u1, draft: 'x' })
    await app.pass(10_000)
    expect(app.heard).toEqual([
      ['update', 'u1'],
      ['upload', 'x', 0],
    ])
    app.manager.updateOrAddExtra({ channel: u1, draft: 'xy' })
    await app.pass(10_000)
    expect(app.heard.at(-1)).toEqual(['upload', 'xy', 9])
  })

  it('[J-45] fix: an upload that fails is tried again', async () => {
    let works = false
    const app = await withUpload((callback) => (works ? callback(9) : callback(null, 'offline')))
    app.manager.updateOrAddExtra({ channel: u1, draft: 'x' })
    await app.pass()
    works = true
    expect(app.manager.getConversation(u1)?.remoteExtra.draft).toBe('x')
    await app.pass(100_000)
    expect(app.heard).toEqual([
      ['update', 'u1'],
      ['upload', 'x', 0],
      ['upload', 'x', 0],
    ])
  })

  it('[J-46] keep: without a provider it is written and told to nobody', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5)])
    app.heard.length = 0
    app.manager.updateOrAddExtra({ channel: u1, draft: 'x' })
    await app.pass(10_000)
    expect([app.heard, app.manager.getConversation(u1)?.remoteExtra.draft]).toEqual([[], 'x'])
  })

  it('[J-47] fix: what is hidden is uploaded when it is in the list', async () => {
    const app = await withUpload((callback) => callback(9))
    app.manager.updateOrAddExtra({ channel: g1, keepMessageSeq: 4 })
    await app.pass(10_000)
    expect(app.heard).toEqual([])
    app.manager.receive(wireMessage(g1, 5))
    await app.pass(10_000)
    expect(app.heard).toEqual([
      ['update', 'g1'],
      ['upload', '', 0],
    ])
  })

  it('[J-48] keep: nothing is nothing', async () => {
    const app = await withUpload((callback) => callback(9))
    app.manager.updateOrAddExtra(null)
    await app.pass(10_000)
    expect(app.heard).toEqual([])
  })

  it('[J-49] [J-50] keep: asks from the greatest version; fix: of unknown channels it is stored too', async () => {
    const app = startApp()
    await synced(app, [wireConversation(u1, 5)])
    let answer: unknown = [
      { channel_id: 'g1', channel_type: 2, keep_message_seq: 3, version: 5 },
      { channel_id: 'u1', channel_type: 1, draft: 'a', version: 9 },
    ]
    app.manager.setSyncConversationExtraProvider((version, callback) => {
      app.heard.push(['extras', version])
      callback(answer)
    })
    await app.manager.syncExtra()
    answer = [{ channel_id: 'nope', channel_type: 1, browse_to: 4, version: 11 }]
    await app.manager.syncExtra()
    await app.manager.syncExtra()
    expect(app.heard.slice(3)).toEqual([
      ['extras', 0],
      ['update', 'u1'],
      ['extras', 9],
      ['extras', 11],
    ])
    expect(app.store.conversation(g1).getSnapshot().keptPosition?.messageSeq).toBe(3)
    expect(app.store.conversation({ channelId: 'nope', channelType: 1 }).getSnapshot().browseTo).toBe(4)
  })

  it('[J-51] keep: no extras, no update', async () => {
    for (const answer of [[], null, undefined]) {
      const app = startApp()
      app.manager.setSyncConversationExtraProvider((_, callback) => callback(answer))
      await app.manager.syncExtra()
      expect(app.heard).toEqual([])
    }
  })

  it('[J-52] fix: a draft typed offline stays and is sent, the other one is beside it', async () => {
    const app = await withUpload((callback) => callback(5))
    const extras = [{ channel_id: 'u1', channel_type: 1, draft: '', version: 3 }]
    app.manager.setSyncConversationExtraProvider((_, callback) => callback(extras))
    await app.manager.syncExtra()
    app.store.conversation(u1).draft.set('b')
    app.store.conversation(u1).draft.leave()
    extras[0] = { channel_id: 'u1', channel_type: 1, draft: 'a', version: 4 }
    await app.manager.syncExtra()
    const { composer, others } = app.store.conversation(u1).getSnapshot().drafts
    expect([composer?.text, others.map(({ text }) => text)]).toEqual(['b', ['a']])
    expect(app.heard.filter((entry) => Array.isArray(entry) && entry[0] === 'upload')).toEqual([
      ['upload', 'b', 4],
    ])
    await app.pass(10_000)
    await app.manager.syncExtra()
    expect(app.heard.filter((entry) => Array.isArray(entry) && entry[0] === 'upload')).toHaveLength(1)
  })
})
