import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createStore, type Draft, type Store, smallestEdit } from '../src/index.js'
import { bob, createDevices, type Devices, group, message, send } from './support/devices.js'

function draftOf(store: Store): Draft {
  return store.conversation(bob).draft
}

function textOf(store: Store): string | null {
  return draftOf(store).getSnapshot().composer?.text ?? null
}

/** Two devices that both have a draft in the composer. */
function sharedDraft(text: string): [Store, Store, Devices] {
  const devices = createDevices(2)
  const [a, b] = devices.stores as [Store, Store]
  draftOf(a).set(text)
  devices.sync()
  return [a, b, devices]
}

describe('typing', () => {
  it('[D1] two devices edit one draft offline, and merge by character', () => {
    const [a, b, devices] = sharedDraft('meet at noon')
    draftOf(a).set('Meet at noon')
    draftOf(b).set('meet at noon, ok?')
    devices.sync()
    expect(textOf(a)).toBe('Meet at noon, ok?')
    expect(textOf(b)).toBe('Meet at noon, ok?')
    expect(draftOf(a).getSnapshot().others).toEqual([])
  })

  it('[D1] a long text is never replaced by a short one that was typed into an old copy', () => {
    const [a, b, devices] = sharedDraft('start')
    const long = `start ${'word '.repeat(2000)}`
    draftOf(a).set(long)
    draftOf(b).set('start with twenty words instead')
    devices.sync()
    expect(textOf(a)).toBe(textOf(b))
    expect(textOf(a)).toContain('word '.repeat(2000))
    expect(textOf(a)).toContain('with twenty words instead')
  })

  it('[D2] two drafts begun apart both stay: the one edited last in the composer, the other beside it', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    draftOf(a).set('from the laptop')
    draftOf(a).leave()
    draftOf(b).set('from the phone')
    draftOf(b).leave()
    devices.sync()
    for (const store of devices.stores) {
      const { composer, others } = draftOf(store).getSnapshot()
      expect(composer).toMatchObject({ text: 'from the phone', device: 'Phone' })
      expect(others).toMatchObject([{ text: 'from the laptop', device: 'Laptop' }])
    }
    draftOf(a).choose(draftOf(a).getSnapshot().others[0]?.draftId ?? '')
    draftOf(a).leave()
    devices.sync()
    expect(textOf(b)).toBe('from the laptop')
  })

  it('[D2] [L5] what is begun after a sending is in the composer, whatever the clock of the sender said', () => {
    const devices = createDevices(2)
    const [laptop, tablet] = devices.stores as [Store, Store]
    const phone = createStore({ userId: 'me', environment: { now: () => devices.now + 600_000 } })
    draftOf(phone).set('sent')
    draftOf(phone).send()
    send(phone, laptop)
    draftOf(laptop).set('newer')
    draftOf(laptop).leave()
    send(laptop, tablet)
    expect(textOf(tablet)).toBe('newer')
    draftOf(phone).set('begun apart')
    draftOf(laptop).set('newe')
    send(phone, laptop)
    draftOf(laptop).set('newest')
    draftOf(laptop).leave()
    send(laptop, tablet)
    expect(textOf(tablet)).toBe('newest')
    expect(draftOf(tablet).getSnapshot().others).toMatchObject([{ text: 'begun apart' }])
  })

  it('[D3] the smallest edit turns one text into the other and splits no surrogate pair', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '😁', '👩‍🚀', ' '), maxLength: 12 })
    fc.assert(
      fc.property(text, text, fc.nat(20), (from, to, caret) => {
        const edit = smallestEdit(from, to, caret % 2 === 0 ? undefined : Math.min(caret, to.length))
        if (!edit) {
          expect(from).toBe(to)
          return
        }
        expect(from.slice(0, edit.index) + edit.insert + from.slice(edit.index + edit.remove)).toBe(to)
        for (const part of [edit.insert, from.slice(edit.index, edit.index + edit.remove)]) {
          expect(new TextDecoder().decode(new TextEncoder().encode(part))).toBe(part)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('[D3] an emoji that becomes its neighbour is the same on both devices', () => {
    const [a, b, devices] = sharedDraft('a😀b')
    draftOf(a).set('a😁b')
    devices.sync()
    expect(textOf(b)).toBe('a😁b')
    expect(textOf(a)).toBe('a😁b')
  })

  it('[D3] the caret tells which of several equal letters was typed', () => {
    expect(smallestEdit('aa', 'aaa', 1)).toEqual({ index: 0, remove: 0, insert: 'a' })
    expect(smallestEdit('aa', 'aaa', 3)).toEqual({ index: 2, remove: 0, insert: 'a' })
  })

  it('[D3] a keystroke in a long draft is a small update', () => {
    const store = createStore({ userId: 'me' })
    let text = 'x'.repeat(2000)
    draftOf(store).set(text)
    let bytes = 0
    store.doc.on('afterTransaction', (transaction: Y.Transaction) => {
      bytes += Y.encodeStateAsUpdate(store.doc, Y.encodeStateVector(transaction.beforeState)).byteLength
    })
    for (let i = 0; i < 100; i++) {
      text += 'y'
      draftOf(store).set(text)
    }
    expect(bytes / 100).toBeLessThan(200)
  })

  it('[D3] a keystroke takes no longer after thousands of drafts in the same conversation', () => {
    const store = createStore({ userId: 'me' })
    const draft = draftOf(store)
    draft.subscribe(() => {})
    for (let count = 0; count < 1000; count++) {
      draft.set(`draft ${count}`)
      draft.clear()
    }
    draft.set('x')
    const start = performance.now()
    for (let length = 2; length < 22; length++) draft.set('x'.repeat(length))
    expect((performance.now() - start) / 20).toBeLessThan(5)
  })

  it('[D4] a draft that arrives while the user types does not take the composer', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    draftOf(a).set('typing')
    draftOf(b).set('newer')
    devices.sync()
    expect(textOf(a)).toBe('typing')
    expect(draftOf(a).getSnapshot().others).toMatchObject([{ text: 'newer' }])
    draftOf(a).set('typing on')
    expect(textOf(a)).toBe('typing on')
    draftOf(b).set('newest')
    devices.sync()
    draftOf(a).leave()
    expect(textOf(a)).toBe('typing on')
  })

  it('[D4] [D7] [D10] what an editor types into the Yjs text is typing, too', () => {
    const [a, b, devices] = sharedDraft('hello')
    const third = devices.add()
    const text = draftOf(b).text()
    devices.now += 10_000
    draftOf(third).set('begun apart')
    draftOf(third).leave()
    devices.now += 10_000
    text.insert(5, ' there')
    devices.now += 10_000
    draftOf(third).set('begun apart, and newer')
    draftOf(third).leave()
    send(third, b)
    expect(textOf(b)).toBe('hello there')
    text.insert(11, '!')
    send(b, third)
    draftOf(third).leave()
    expect(draftOf(devices.add(third)).getSnapshot().composer).toMatchObject({
      text: 'hello there!',
      device: 'Phone',
    })
    draftOf(a).send()
    send(a, b)
    expect(textOf(b)).toBe(' there!')
    draftOf(b).leave()
    expect(b.conversation(bob).getSnapshot().activeAt).toBeGreaterThan(1_700_000_020_000)
  })

  it('[D10] the list is sorted by a draft when it is left, not while it is typed', () => {
    const store = createStore({ userId: 'me' })
    store.receive([message(1), message(9, { channel: group })])
    const order = () =>
      store
        .list()
        .getSnapshot()
        .conversations.map(({ channel }) => channel.channelId)
    draftOf(store).set('hello')
    expect(order()).toEqual(['ubuntu', 'bob'])
    draftOf(store).leave()
    expect(order()).toEqual(['bob', 'ubuntu'])
    draftOf(store).clear()
    expect(order()).toEqual(['ubuntu', 'bob'])
    draftOf(store).setAttachment('photo', { url: 'https://example.com/1' })
    draftOf(store).leave()
    expect(order()).toEqual(['bob', 'ubuntu'])
  })

  it('[D1] an editor can bind to the Yjs text', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(b).text().insert(5, ' there')
    devices.sync()
    expect(textOf(a)).toBe('hello there')
    const empty = createStore({ userId: 'me' })
    draftOf(empty).text().insert(0, 'new')
    expect(textOf(empty)).toBe('new')
  })

  it('[D1] reply, mentions and attachments merge by themselves', () => {
    const [a, b, devices] = sharedDraft('see this')
    draftOf(a).setReply({ messageSeq: 3 })
    draftOf(a).setAttachment('one', { url: 'https://example.com/1' })
    draftOf(b).setAttachment('two', { url: 'https://example.com/2' })
    draftOf(b).setMention('carol', { at: 0 })
    devices.sync()
    draftOf(b).setAttachment('one', null)
    devices.sync()
    expect(draftOf(a).getSnapshot().composer).toMatchObject({
      reply: { messageSeq: 3 },
      mentions: { carol: { at: 0 } },
      attachments: { two: { url: 'https://example.com/2' } },
    })
  })

  it('[D1] [X2] attachments have one order on all devices, whatever they are called', () => {
    const [a, b, devices] = sharedDraft('look')
    draftOf(a).setAttachment('z', 1)
    draftOf(b).setAttachment('__proto__', 2)
    draftOf(b).setMention('__proto__', 3)
    devices.sync()
    expect(JSON.stringify(a.export())).toBe(JSON.stringify(b.export()))
    const { attachments = {}, mentions = {} } = draftOf(a).getSnapshot().composer ?? {}
    expect(Object.entries(attachments)).toEqual([
      ['__proto__', 2],
      ['z', 1],
    ])
    expect(Object.entries(mentions)).toEqual([['__proto__', 3]])
  })

  it('[D1] several actions in one transaction are one draft and one update', () => {
    const store = createStore({ userId: 'me' })
    store.transact(() => {
      draftOf(store).set('hello')
      draftOf(store).setReply({ messageSeq: 1 })
    })
    expect(draftOf(store).getSnapshot()).toMatchObject({
      composer: { text: 'hello', reply: { messageSeq: 1 } },
      others: [],
    })
  })
})

describe('sending', () => {
  it('[D5] Enter twice sends once, and no other draft jumps into the composer', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    draftOf(b).set('other draft')
    draftOf(b).leave()
    draftOf(a).set('hello')
    devices.sync()
    const submission = draftOf(a).send()
    expect(submission?.text).toBe('hello')
    expect(draftOf(a).send()).toBeNull()
    expect(textOf(a)).toBeNull()
    draftOf(a).leave()
    expect(textOf(a)).toBeNull()
    expect(draftOf(a).getSnapshot().others).toMatchObject([{ text: 'other draft' }])
    draftOf(a).acknowledged(submission?.submissionId ?? '')
    devices.sync()
    expect(draftOf(b).getSnapshot().sending).toEqual([])
  })

  it('[D5] white space is not sent', () => {
    const store = createStore({ userId: 'me' })
    draftOf(store).set('  \n')
    expect(draftOf(store).send()).toBeNull()
    expect(textOf(store)).toBe('  \n')
  })

  it('[D5] two devices that send the same draft name their sendings alike', () => {
    const [a, b] = sharedDraft('once')
    expect(draftOf(a).send()?.submissionId).toBe(draftOf(b).send()?.submissionId)
  })

  it('[D6] a failed sending brings the text back; a retry is another sending', () => {
    const store = createStore({ userId: 'me' })
    draftOf(store).set('hello')
    const first = draftOf(store).send()
    draftOf(store).sendFailed(first?.submissionId ?? '')
    expect(draftOf(store).getSnapshot().composer).toMatchObject({ text: 'hello', sendFailed: true })
    const second = draftOf(store).send()
    expect(second?.submissionId).not.toBe(first?.submissionId)
    draftOf(store).acknowledged(second?.submissionId ?? '')
    draftOf(store).sendFailed(first?.submissionId ?? '')
    expect(draftOf(store).getSnapshot()).toMatchObject({
      composer: null,
      others: [],
      recovered: [],
      sending: [],
    })
  })

  it('[D6] a failure that another conversation’s draft is told of brings the text back where it was sent', () => {
    const store = createStore({ userId: 'me' })
    draftOf(store).set('on its way')
    const { submissionId = '' } = draftOf(store).send() ?? {}
    store.conversation(group).draft.sendFailed(submissionId)
    expect(textOf(store)).toBe('on its way')
  })

  it('[D5] [B1] what cannot be sent stays in the composer', () => {
    const store = createStore({ userId: 'me' })
    draftOf(store).set('shorter')
    store.close()
    expect(() => draftOf(store).send()).toThrow(/closed/)
    expect(() => draftOf(store).clear()).toThrow(/closed/)
    expect(textOf(store)).toBe('shorter')
  })

  it('[D6] one device’s sending stands when another’s of the same draft fails', () => {
    const [a, b, devices] = sharedDraft('ab')
    draftOf(b).set('abc')
    const ofA = draftOf(a).send()
    const ofB = draftOf(b).send()
    draftOf(a).sendFailed(ofA?.submissionId ?? '')
    devices.sync()
    draftOf(b).acknowledged(ofB?.submissionId ?? '')
    devices.sync()
    for (const store of devices.stores) {
      expect(draftOf(store).getSnapshot()).toMatchObject({ composer: null, others: [], recovered: [] })
    }
  })

  it('[D11] the own message coming back acknowledges its sending', () => {
    const [a, b, devices] = sharedDraft('hello')
    const submission = draftOf(a).send()
    devices.sync()
    b.receive(message(1, { fromUid: 'me', clientMsgNo: submission?.submissionId ?? '' }))
    devices.sync()
    expect(draftOf(a).getSnapshot().sending).toEqual([])
  })

  it('[D7] one sends while the other types on: what was typed stays with its typist', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(b).set('hello world')
    draftOf(a).send()
    devices.sync()
    expect(textOf(b)).toBe(' world')
    draftOf(b).set(' world!')
    devices.sync()
    expect(textOf(b)).toBe(' world!')
    expect(draftOf(a).getSnapshot().recovered).toEqual([])
  })

  it('[D7] what a device typed and left before it learned of the sending is recovered, without what was sent', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(b).set('hello world')
    draftOf(b).leave()
    draftOf(a).send()
    devices.sync()
    for (const store of devices.stores) {
      expect(draftOf(store).getSnapshot()).toMatchObject({
        composer: null,
        recovered: [{ text: ' world', device: 'Phone' }],
      })
    }
  })

  it('[D7] clear while the other types: the same', () => {
    const [a, b, devices] = sharedDraft('never mind')
    draftOf(b).set('never mind, but')
    draftOf(a).clear()
    devices.sync()
    expect(textOf(b)).toBe(', but')
    expect(textOf(a)).toBeNull()
  })

  it('[D8] a recovered draft is restored or dismissed, once for all devices', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(b).set('hello world')
    draftOf(b).leave()
    draftOf(a).send()
    devices.sync()
    const { draftId = '' } = draftOf(a).getSnapshot().recovered[0] ?? {}
    draftOf(a).restore(draftId)
    expect(draftOf(a).getSnapshot()).toMatchObject({ composer: { text: ' world' }, recovered: [] })
    draftOf(a).set('')
    devices.sync()
    expect(draftOf(b).getSnapshot()).toMatchObject({ composer: null, recovered: [] })
  })

  it('[D12] a draft that is set aside is offered as recovered, on all devices', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(a).setAside(draftOf(a).getSnapshot().composer?.draftId ?? '')
    devices.sync()
    for (const store of [a, b]) {
      expect(draftOf(store).getSnapshot()).toMatchObject({ composer: null, recovered: [{ text: 'hello' }] })
    }
    draftOf(b).restore(draftOf(b).getSnapshot().recovered[0]?.draftId ?? '')
    devices.sync()
    expect(textOf(a) ?? draftOf(a).getSnapshot().others[0]?.text).toBe('hello')
  })

  it('[D8] dismissing leaves what a pending sending covers, so that a failure still brings it back', () => {
    const [a, b, devices] = sharedDraft('hello')
    draftOf(b).set('hello world')
    draftOf(b).leave()
    const submission = draftOf(a).send()
    devices.sync()
    draftOf(b).dismiss(draftOf(b).getSnapshot().recovered[0]?.draftId ?? '')
    devices.sync()
    expect(draftOf(a).getSnapshot().recovered).toEqual([])
    draftOf(a).sendFailed(submission?.submissionId ?? '')
    devices.sync()
    for (const store of devices.stores) {
      const { composer, others, recovered } = draftOf(store).getSnapshot()
      expect(
        [composer?.text, ...others.map(({ text }) => text), ...recovered.map(({ text }) => text)].join(),
      ).toContain('hello')
    }
  })

  it('[D9] a day after the acknowledgement the characters go, but not those typed meanwhile elsewhere', () => {
    const devices = createDevices(3)
    const [a, b, c] = devices.stores as [Store, Store, Store]
    draftOf(a).set('secret')
    devices.sync()
    draftOf(b).set('secret and more')
    draftOf(b).leave()
    const submission = draftOf(a).send()
    draftOf(a).acknowledged(submission?.submissionId ?? '')
    a.maintain()
    expect(JSON.stringify(a.doc.getArray('drafts').toJSON())).toContain('secret')
    devices.now += 25 * 60 * 60 * 1000
    a.maintain()
    expect(JSON.stringify(a.doc.getArray('drafts').toJSON())).not.toContain('secret')
    send(a, c)
    devices.sync()
    expect(draftOf(c).getSnapshot().recovered).toMatchObject([{ text: ' and more' }])
  })

  it('[D9] nothing is cleaned up while a sending may still fail', () => {
    const devices = createDevices(1)
    const [a] = devices.stores as [Store]
    draftOf(a).set('on its way')
    const submission = draftOf(a).send()
    devices.now += 25 * 60 * 60 * 1000
    a.maintain()
    draftOf(a).sendFailed(submission?.submissionId ?? '')
    expect(textOf(a)).toBe('on its way')
  })

  it('[D2] [C8] a draft shows a conversation without messages, and a deletion hides it until it is edited again', () => {
    const devices = createDevices(1)
    const [a] = devices.stores as [Store]
    const listed = () => a.list().getSnapshot().total
    draftOf(a).set('first words')
    expect(listed()).toBe(1)
    draftOf(a).leave()
    a.conversation(bob).delete()
    expect(listed()).toBe(0)
    devices.now += 10_000
    draftOf(a).set('first words, again')
    expect(listed()).toBe(1)
  })
})
