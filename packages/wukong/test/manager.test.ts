import { readFileSync } from 'node:fs'
import type { Store } from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { parseExactJson } from '../src/index.js'
import { type App, g1, startApp, u1, u9, wireConversation, wireMessage } from './support/app.js'

const DATA = new URL('../../../test/data/ubuntu-irc/', import.meta.url)

function send(from: Store, to: Store): void {
  to.applyUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
}

function together(a: App, b: App): void {
  for (let round = 0; round < 2; round++) {
    send(a.store, b.store)
    send(b.store, a.store)
  }
}

function drafts(app: App): [composer: string | undefined, others: string[]] {
  const { composer, others } = app.store.conversation(u1).getSnapshot().drafts
  return [composer?.text, others.map(({ text }) => text)]
}

const draftOf = (draft: string, version: number, more: object = {}): object => ({
  channel_id: 'u1',
  channel_type: 1,
  draft,
  version,
  ...more,
})

/** A server of extras as TangSengDaoDao has it: the last writer wins, and a counter gives versions. */
function extraServer(): {
  rows: Map<string, Record<string, unknown>>
  version: number
  isDown: boolean
  serve: (app: App) => void
} {
  const server = {
    rows: new Map<string, Record<string, unknown>>(),
    version: 0,
    isDown: false,
    serve(app: App) {
      app.manager.setSyncConversationExtraProvider(async (version) => {
        if (server.isDown) throw new Error('down')
        return [...server.rows.values()].filter((row) => (row.version as number) > version)
      })
      app.manager.setUpdateConversationExtraProvider(
        async ({ channel, draft, keepMessageSeq, keepOffsetY, browseTo }) => {
          if (server.isDown) throw new Error('down')
          server.rows.set(`${channel.channelType}:${channel.channelId}`, {
            channel_id: channel.channelId,
            channel_type: channel.channelType,
            draft,
            keep_message_seq: keepMessageSeq,
            keep_offset_y: keepOffsetY,
            browse_to: browseTo,
            version: ++server.version,
          })
          return server.version
        },
      )
    },
  }
  return server
}

describe('syncing', () => {
  it('[S1] asks by promise too, and takes an error or a throw for what they are', async () => {
    const app = startApp({ maxAttempts: 3 })
    let call = 0
    app.manager.setSyncConversationProviderAndAck(async () => {
      call++
      if (call === 1) throw new Error('rejected')
      return [wireConversation(u1, 1)]
    })
    const outcome = app.manager.connected()
    await app.pass(3000)
    expect([await outcome, call, app.heard]).toEqual(['synced', 2, [['update', 'u1']]])
    app.manager.setSyncConversationProviderAndAck(() => {
      throw new Error('thrown')
    })
    const second = app.manager.connected()
    await app.pass(20_000)
    expect(await second).toBe('stopped')
  })

  it('[S1] an async provider that calls back later is waited for', async () => {
    const app = startApp()
    app.manager.setSyncConversationProviderAndAck(async (_version, _held, callback) => {
      void Promise.resolve()
        .then(() => {})
        .then(() => callback([wireConversation(u1, 1)]))
    })
    const outcome = app.manager.connected()
    await app.pass()
    expect([await outcome, app.heard]).toEqual(['synced', [['update', 'u1']]])
  })

  it('[S2] runs one at a time; what is asked for meanwhile is one more', async () => {
    const app = startApp()
    const answers: Array<() => void> = []
    let most = 0
    let open = 0
    app.manager.setSyncConversationProviderAndAck((_version, _held, callback) => {
      most = Math.max(most, ++open)
      answers.push(() => {
        open--
        callback([])
      })
    })
    const outcomes = [app.manager.connected(), app.manager.connected(), app.manager.connected()]
    await app.pass()
    expect(answers).toHaveLength(1)
    answers[0]?.()
    await app.pass()
    expect(answers).toHaveLength(2)
    answers[1]?.()
    await app.pass()
    expect(await Promise.all(outcomes)).toEqual(['synced', 'synced', 'synced'])
    expect([most, answers.length, app.manager.isSyncing]).toEqual([1, 2, false])
  })

  it('[S2] a connection while one waits to be tried again asks at once', async () => {
    const app = startApp()
    let calls = 0
    app.manager.setSyncConversationProviderAndAck(async () => {
      calls++
      if (calls === 1) throw new Error('offline')
      return []
    })
    void app.manager.connected()
    await app.pass(100)
    expect(await app.manager.connected()).toBe('synced')
    expect(calls).toBe(2)
  })

  it('[S2] an answer to a connection that went is not taken in', async () => {
    const app = startApp()
    let answer = (_: unknown): void => {}
    app.manager.setSyncConversationProviderAndAck((_version, _held, callback) => {
      answer = callback
    })
    const outcome = app.manager.connected()
    await app.pass()
    app.manager.disconnected()
    answer([wireConversation(u1, 1)])
    await app.pass()
    expect([await outcome, app.manager.getConversationList()]).toEqual(['stopped', []])
  })

  it('[S3] versions beyond 2^53 go back exact where JavaScript can, never above, and as digits', async () => {
    for (const [version, number] of [
      ['1204353600000000000', 1204353600000000000],
      ['1204353600000000255', 1204353600000000000],
      [1204353600000000000, 1204353600000000000],
      [9n, 9],
      [-3, 0],
      ['soon', 0],
      [null, 0],
    ] as const) {
      const app = startApp()
      const asked: unknown[] = []
      app.manager.setSyncConversationProviderAndAck(async (since, _held, _callback, exact) => {
        asked.push([since, exact.version])
        return [wireConversation(u1, 1, { version })]
      })
      await app.manager.connected()
      await app.manager.connected()
      const digits = typeof version === 'string' && number > 0 ? version : String(BigInt(number))
      expect(asked[1]).toEqual([number, digits])
    }
  })

  it('[S4] one bad conversation does not keep the others out', async () => {
    const app = startApp()
    app.manager.setSyncConversationProviderAndAck(async () => [
      { channel_id: 'x', channel_type: 900 },
      wireConversation(u1, 1, { recents: [wireMessage(u1, 1, { from_uid: 'x'.repeat(300) })] }),
      wireConversation(g1, 1),
    ])
    expect(await app.manager.connected()).toBe('synced')
    expect(app.manager.getConversationList().map(({ channel }) => channel.channelId)).toEqual(['g1'])
    expect(app.errors).toHaveLength(2)
  })

  it('[S5] what was done here stays, whatever an answer repeats', async () => {
    const app = startApp()
    app.manager.setSyncConversationProviderAndAck(async () => ({
      conversations: [
        wireConversation(u1, 5, { unread: 3 }),
        wireConversation(g1, 5, { unread: 3, stick: 1 }),
        wireConversation(u9, 5),
      ],
    }))
    await app.manager.connected()
    app.manager.clearConversationUnreadCount(u1)
    app.store.conversation(g1).unpin()
    app.store.conversation(g1).mute()
    app.manager.deleteConversation(u9)
    const before = app.store.export()
    await app.manager.connected()
    expect(app.store.export()).toEqual(before)
  })

  it('[S5] absence is never a deletion', async () => {
    const app = startApp()
    let answer = [wireConversation(u1, 5)]
    app.manager.setSyncConversationProviderAndAck(async () => answer)
    await app.manager.connected()
    answer = []
    await app.manager.connected()
    expect(app.manager.getConversation(u1)).not.toBeNull()
  })

  it('[S6] a count that the server raises is an unread mark', async () => {
    const app = startApp()
    let [unread, version] = [0, 1]
    app.manager.setSyncConversationProviderAndAck(async () => [wireConversation(u1, 5, { unread, version })])
    await app.manager.connected()
    ;[unread, version] = [2, 2]
    await app.manager.connected()
    expect(app.store.conversation(u1).getSnapshot()).toMatchObject({ unread: 2, markedUnread: true })
    app.manager.clearConversationUnreadCount(u1)
    await app.manager.connected()
    expect(app.unread(u1)).toBe(0)
  })

  it.each(['wukongim', 'tsdd'])('[S7] takes in real conversations (%s)', async (shape) => {
    const app = startApp()
    const text = readFileSync(new URL(`conversation-sync.${shape}.json`, DATA), 'utf8')
    const items = parseExactJson(text.replaceAll('"Pici"', '"me"')) as unknown
    app.manager.setSyncConversationProviderAndAck(async () => items)
    await app.manager.connected()
    const list = (
      Array.isArray(items) ? items : (items as { conversations: unknown[] }).conversations
    ) as Array<Record<string, unknown>>
    expect(app.errors).toEqual([])
    for (const item of list) {
      const channel = { channelId: item.channel_id as string, channelType: item.channel_type as number }
      expect(app.manager.getConversation(channel)).toMatchObject({
        unreadCount: item.unread ?? 0,
        lastMessageSeq: item.last_msg_seq,
        lastClientMsgNo: item.last_client_msg_no,
        lastMsgTimestamp: item.timestamp,
      })
    }
  })
})

describe('delegates', () => {
  it('[N1] hear of what another device does in the same way', () => {
    const [phone, laptop] = [startApp(), startApp()]
    phone.manager.receive([wireMessage(u1, 1), wireMessage(g1, 1)])
    together(phone, laptop)
    expect(laptop.heard).toEqual([['update', 'u1', 'g1']])
    laptop.heard.length = 0
    phone.manager.clearConversationUnreadCount(u1)
    together(phone, laptop)
    expect(laptop.heard).toEqual([
      ['update', 'u1'],
      ['unread', 'u1', 0],
    ])
    phone.manager.deleteConversation(g1)
    together(phone, laptop)
    expect(laptop.heard.at(-1)).toEqual(['delete', 'g1'])
  })

  it('[N2] one that throws mutes nobody, and one that is removed hears no more', () => {
    const app = startApp()
    const bad = {
      onConversationUpdate(): void {
        throw new Error('bad')
      },
    }
    const good = { onConversationUpdate: (): void => void app.heard.push('good') }
    app.manager.addDelegate(bad)
    app.manager.addDelegate(good)
    app.manager.addDelegate(good)
    app.manager.receive(wireMessage(u1, 1))
    app.manager.removeDelegate(good)
    app.manager.receive(wireMessage(u1, 2))
    expect(app.heard).toEqual([['update', 'u1'], 'good', ['update', 'u1']])
    expect(app.errors).toHaveLength(2)
  })

  it('[N3] models are the same object until something changes', () => {
    const app = startApp()
    app.manager.addConversation(wireConversation(u1, 1))
    app.manager.addConversation(wireConversation(g1, 1))
    const before = app.manager.getConversations([u1, g1, u9])
    app.manager.receive(wireMessage(u1, 2))
    const after = app.manager.getConversations([u1, g1])
    expect([before.length, before[0] === after[0], before[1] === after[1]]).toEqual([2, false, true])
  })
})

describe('drafts and positions', () => {
  it('[D1] a draft of the provider is imported once, however many devices do', async () => {
    const server = extraServer()
    server.rows.set('1:u1', draftOf('from the web', ++server.version) as Record<string, unknown>)
    const devices = [startApp(), startApp()] as const
    for (const app of devices) {
      server.serve(app)
      app.manager.receive(wireMessage(u1, 1))
      await app.manager.syncExtra()
    }
    together(...devices)
    for (const app of devices) {
      await app.pass(10_000)
      expect(drafts(app)).toEqual(['from the web', []])
    }
    devices[0].store.conversation(u1).draft.clear()
    together(...devices)
    for (const app of devices) await app.manager.syncExtra()
    together(...devices)
    expect(devices.map(drafts)).toEqual([
      [undefined, []],
      [undefined, []],
    ])
    expect(server.rows.get('1:u1')?.draft).toBe('')
  })

  it('[D2] an imported draft that nobody touched follows the provider', async () => {
    const app = startApp()
    app.manager.receive(wireMessage(u1, 1))
    const server = extraServer()
    server.serve(app)
    for (const draft of ['a', 'ab', 'abc']) {
      server.rows.set('1:u1', draftOf(draft, ++server.version) as Record<string, unknown>)
      await app.manager.syncExtra()
      expect(drafts(app)).toEqual([draft, []])
    }
    server.rows.set('1:u1', draftOf('', ++server.version) as Record<string, unknown>)
    await app.manager.syncExtra()
    expect(drafts(app)).toEqual([undefined, []])
    expect(server.version).toBe(4)
  })

  it('[D3] what was typed here is never taken away by the provider', async () => {
    const app = startApp()
    app.manager.receive(wireMessage(u1, 1))
    const server = extraServer()
    server.serve(app)
    app.manager.updateOrAddExtra({ channel: u1, draft: 'mine' })
    await app.pass(10_000)
    expect(server.rows.get('1:u1')).toMatchObject({ draft: 'mine', version: 1 })
    server.rows.set('1:u1', draftOf('', ++server.version) as Record<string, unknown>)
    await app.manager.syncExtra()
    // Sent from another device, or forgotten by the server: who knows.
    const { composer, recovered } = app.store.conversation(u1).getSnapshot().drafts
    expect([composer, recovered.map(({ text }) => text)]).toEqual([null, ['mine']])
    app.store.conversation(u1).draft.restore(recovered[0]!.draftId)
    expect(drafts(app)).toEqual(['mine', []])
    await app.pass(100_000)
    expect(server.rows.get('1:u1')).toMatchObject({ draft: 'mine', version: 3 })
    server.rows.set('1:u1', draftOf('theirs', ++server.version) as Record<string, unknown>)
    await app.manager.syncExtra()
    expect(drafts(app)).toEqual(['mine', ['theirs']])
    await app.pass(100_000)
    expect(server.version).toBe(4)
  })

  it('[D2] a draft that was sent to the provider follows what other devices make of it', async () => {
    const app = startApp()
    app.manager.receive(wireMessage(u1, 1))
    const server = extraServer()
    server.serve(app)
    app.manager.updateOrAddExtra({ channel: u1, draft: 'begun' })
    await app.pass(10_000)
    const edited = { ...draftOf('begun and typed on', ++server.version), draft_updated_at: 1 }
    server.rows.set('1:u1', edited as Record<string, unknown>)
    await app.manager.syncExtra()
    expect(drafts(app)).toEqual(['begun and typed on', []])
  })

  it('[S5] a draft of the provider brings no deleted conversation back; listing it again does', async () => {
    const app = startApp()
    const list = async (items: object[]): Promise<void> => {
      app.manager.setSyncConversationProviderAndAck(async () => items)
      const outcome = app.manager.connected()
      await app.pass()
      expect(await outcome).toBe('synced')
    }
    await list([wireConversation(u1, 5, { version: 1 })])
    await list([wireConversation(u1, 5, { version: 2, is_deleted: 1 })])
    const server = extraServer()
    server.serve(app)
    const draft = { ...draftOf('begun', ++server.version), draft_updated_at: 2_000_000_000 }
    server.rows.set('1:u1', draft as Record<string, unknown>)
    await app.manager.syncExtra()
    expect(app.manager.getConversationList()).toEqual([])
    await list([wireConversation(u1, 5, { version: 3 })])
    expect(app.manager.getConversationList()).toMatchObject([{ remoteExtra: { draft: 'begun' } }])
    // Deleted once more it is so, though no newer message came.
    await list([wireConversation(u1, 5, { version: 4, is_deleted: 1 })])
    expect(app.manager.getConversationList()).toEqual([])
  })

  it('[D4] what was typed offline is sent when the provider works again, after a restart too', async () => {
    const server = extraServer()
    const app = startApp()
    server.serve(app)
    app.manager.receive(wireMessage(u1, 1))
    server.isDown = true
    app.store.conversation(u1).draft.set('offline')
    app.store.conversation(u1).keepPosition({ messageSeq: 1, offsetY: -4 })
    await app.pass(5000)
    app.manager.close()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(app.store.doc))
    const again = startApp({ doc })
    server.serve(again)
    server.isDown = false
    again.manager.setSyncConversationProviderAndAck(async () => [])
    await again.manager.connected()
    await again.pass()
    expect(server.rows.get('1:u1')).toMatchObject({
      draft: 'offline',
      keep_message_seq: 1,
      keep_offset_y: -4,
    })
  })

  it('[D4] an edit is sent by itself, once it rests', async () => {
    const server = extraServer()
    const app = startApp()
    server.serve(app)
    app.manager.receive(wireMessage(u1, 1))
    for (const text of ['a', 'ab', 'abc']) {
      app.store.conversation(u1).draft.set(text)
      await app.pass(500)
    }
    expect(server.version).toBe(0)
    await app.pass(1000)
    expect(server).toMatchObject({ version: 1 })
    expect(server.rows.get('1:u1')?.draft).toBe('abc')
  })

  it('[D5] two devices that know each other only by the provider come to rest', async () => {
    const server = extraServer()
    const devices = [startApp(), startApp()] as const
    for (const app of devices) {
      server.serve(app)
      app.manager.receive(wireMessage(u1, 1))
    }
    devices[0].store.conversation(u1).draft.set('x')
    devices[1].store.conversation(u1).draft.set('y')
    for (let round = 0; round < 6; round++) {
      for (const app of devices) {
        await app.pass(5000)
        await app.manager.syncExtra()
      }
    }
    const settled = server.version
    for (const app of devices) {
      await app.manager.syncExtra()
      await app.pass(100_000)
      const [composer, others] = drafts(app)
      expect([composer, ...others].sort()).toEqual(['x', 'y'])
    }
    expect(server.version).toBe(settled)
    expect(settled).toBeLessThan(5)
  })

  it('[D6] positions: looked-at only moves forward, scrolled-to follows whoever scrolled last', async () => {
    const server = extraServer()
    const app = startApp()
    server.serve(app)
    app.manager.receive(wireMessage(u1, 9))
    server.rows.set(
      '1:u1',
      draftOf('', ++server.version, { browse_to: 7, keep_message_seq: 3 }) as Record<string, unknown>,
    )
    await app.manager.syncExtra()
    expect(app.manager.getConversation(u1)?.remoteExtra).toMatchObject({ browseTo: 7, keepMessageSeq: 3 })
    server.rows.set(
      '1:u1',
      draftOf('', ++server.version, { browse_to: 0, keep_message_seq: 5 }) as Record<string, unknown>,
    )
    app.store.conversation(u1).keepPosition({ messageSeq: 8, offsetY: 0 })
    await app.manager.syncExtra()
    expect(app.manager.getConversation(u1)?.remoteExtra).toMatchObject({ browseTo: 7, keepMessageSeq: 8 })
    expect(server.rows.get('1:u1')).toMatchObject({ keep_message_seq: 8, browse_to: 7 })
  })
})

describe('reminders', () => {
  const reminder = (id: number, version: number, more: object = {}): object => ({
    id,
    channel_id: 'g1',
    channel_type: 2,
    message_seq: id,
    reminder_type: 1,
    text: '@me',
    publisher: 'peer',
    version,
    done: 0,
    ...more,
  })

  it('[R1] are asked for from the greatest version, stored, and told per conversation', async () => {
    const app = startApp()
    const asked: number[] = []
    app.reminders.addDelegate({
      onReminderChange: ({ channelId }, all) => app.heard.push([channelId, all.length]),
    })
    app.reminders.setReminderProvider(async (version) => {
      asked.push(version)
      return version === 0 ? [reminder(1, 5), reminder(2, 9, { publisher: 'me' }), { id: 'x' }] : []
    })
    await app.reminders.sync()
    await app.reminders.sync()
    expect(asked).toEqual([0, 9])
    expect(app.heard).toEqual([['g1', 2]])
    expect(app.reminders.getWaitDoneReminders(g1).map(({ reminderId }) => reminderId)).toEqual(['1'])
    expect(app.errors).toHaveLength(1)
  })

  it('[R2] done on one device are done on all, and told to the server when it can be reached', async () => {
    const [phone, laptop] = [startApp(), startApp()]
    phone.reminders.setReminderProvider(async () => [reminder(1, 5)])
    await phone.reminders.sync()
    together(phone, laptop)
    let isDown = true
    const told: unknown[] = []
    laptop.reminders.setReminderDoneProvider((ids, callback) => {
      if (isDown) return callback(new Error('down'))
      told.push(ids)
      callback()
    })
    await expect(laptop.reminders.done([1])).rejects.toMatchObject({ code: 'failed' })
    together(phone, laptop)
    expect(phone.reminders.getWaitDoneReminders(g1)).toEqual([])
    isDown = false
    await laptop.reminders.sync()
    await laptop.reminders.sync()
    expect(told).toEqual([['1']])
  })

  it('[R3] a provider that calls back only with reminders has none when it is silent', async () => {
    const app = startApp()
    app.reminders.setReminderProvider(() => {})
    const synced = app.reminders.sync()
    await app.pass(40_000)
    await synced
    expect(app.errors).toEqual([])
  })
})
