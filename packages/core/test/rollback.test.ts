import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { takeCheckpoint } from '../src/document/rollback.js'
import { createStore, MAX_DRAFT_LENGTH, type Store } from '../src/index.js'
import { bob, createDevices, group, message, send } from './support/devices.js'

const draftOf = (store: Store) => store.conversation(bob).draft

function failing(store: Store, actions: () => void): void {
  expect(() =>
    store.transact(() => {
      actions()
      throw new Error('the app failed')
    }),
  ).toThrow('the app failed')
}

/** What every view of a store shows. */
function views(store: Store) {
  return JSON.parse(
    JSON.stringify([
      store.export(),
      draftOf(store).getSnapshot(),
      store.list({ archived: 'any' }).getSnapshot(),
      store.totals.getSnapshot(),
    ]),
  )
}

describe('a transaction that throws', () => {
  it('[DRF13] leaves the composer as it was, and the next keystroke edits the draft that is shown', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    draftOf(a).set('mine')
    draftOf(b).set('a long text of the phone')
    devices.sync()
    const shown = views(a)
    failing(a, () => draftOf(a).leave())
    expect(views(a)).toEqual(shown)
    draftOf(a).set('mine!')
    devices.sync()
    for (const store of [a, b]) {
      const { composer, others } = draftOf(store).getSnapshot()
      expect([composer, ...others].map((draft) => draft?.text).sort()).toEqual([
        'a long text of the phone',
        'mine!',
      ])
    }
  })

  it.each([
    ['clear', (store: Store) => draftOf(store).clear()],
    ['send', (store: Store) => void draftOf(store).send()],
    ['set', (store: Store) => draftOf(store).set('another text')],
    ['edit', (store: Store) => draftOf(store).edit({ index: 0, remove: 4, insert: 'Keep' })],
    ['the Y.Text', (store: Store) => draftOf(store).text().delete(2, 3)],
    ['attachments', (store: Store) => draftOf(store).setAttachment('photo', { url: '/p' })],
    [
      'setAside',
      (store: Store) => draftOf(store).setAside(draftOf(store).getSnapshot().composer?.draftId ?? ''),
    ],
    ['a draft that begins', (store: Store) => store.conversation(group).draft.set('begun')],
    [
      'everything at once',
      (store: Store) => {
        draftOf(store).set('1')
        draftOf(store).send()
        draftOf(store).set('2')
        draftOf(store).text().insert(0, '3')
        store.conversation(bob).delete()
        store.receive(message(7))
      },
    ],
  ])('[DRF13] rolls %s back on all devices, and the draft can be sent', (_what, act) => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    a.receive(message(1))
    draftOf(a).set('keep me')
    devices.sync()
    const [before, elsewhere] = [views(a), views(b)]
    failing(a, () => act(a))
    expect(views(a)).toEqual(before)
    devices.sync()
    expect(views(a)).toEqual(before)
    expect(views(b)).toEqual(elsewhere)
    expect(draftOf(a).send()?.text).toBe('keep me')
  })

  it('[DRF13] one inside of another that is caught takes back only what it did itself', () => {
    const store = createStore({ userId: 'me' })
    draftOf(store).set('text')
    store.transact(() => {
      draftOf(store).edit({ index: 4, remove: 0, insert: ', outer' })
      failing(store, () => draftOf(store).edit({ index: 0, remove: 4, insert: 'inner' }))
      store.conversation(bob).mute()
    })
    expect(draftOf(store).getSnapshot().composer?.text).toBe('text, outer')
    expect(store.conversation(bob).getSnapshot().muted).toBe(true)
  })

  it('[DRF13] a rolled back text is the same as before, ids of its characters included, on every replica', () => {
    const op = fc.record({
      at: fc.nat(30),
      remove: fc.nat(6),
      insert: fc.string({ maxLength: 4 }),
      bold: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(op, { maxLength: 6 }),
        fc.array(op, { minLength: 1, maxLength: 8 }),
        (first, second) => {
          const apply = (text: Y.Text, ops: typeof first): void => {
            for (const { at, remove, insert, bold } of ops) {
              const index = Math.min(at, text.length)
              text.delete(index, Math.min(remove, text.length - index))
              if (insert !== '') text.insert(index, insert, bold ? { bold: true } : {})
            }
          }
          const doc = new Y.Doc()
          const text = doc.getText('text')
          apply(text, first)
          const replica = new Y.Doc()
          doc.on('afterTransaction', () => Y.applyUpdate(replica, Y.encodeStateAsUpdate(doc)))
          const before = text.toDelta()
          const positions = Array.from({ length: text.length + 1 }, (_, i) =>
            Y.createRelativePositionFromTypeIndex(text, i),
          )
          doc.transact((transaction) => {
            const rollback = takeCheckpoint(transaction)
            apply(text, second)
            rollback()
          })
          expect(text.toDelta()).toEqual(before)
          expect(text.length).toBe(positions.length - 1)
          const places = positions.map(
            (position) => Y.createAbsolutePositionFromRelativePosition(position, doc)?.index,
          )
          expect(places).toEqual([...positions.keys()])
          expect(replica.getText('text').toDelta()).toEqual(before)
          text.insert(text.length, '!')
          expect(replica.getText('text').toDelta()).toEqual(text.toDelta())
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('typing', () => {
  it('[DRF14] inside of a transaction edits the draft that is shown, not one that was shown before', () => {
    const devices = createDevices(2)
    const [a, b] = devices.stores as [Store, Store]
    draftOf(a).set('mine')
    draftOf(a).leave()
    devices.now += 1000
    draftOf(b).set('newer')
    draftOf(b).leave()
    devices.sync()
    expect(draftOf(a).getSnapshot().composer?.text).toBe('newer')
    a.transact(() => draftOf(a).set('newer!'))
    const text = draftOf(a).text()
    text.insert(text.length, '!')
    a.transact(() => text.insert(text.length, '!'))
    devices.sync()
    for (const store of [a, b]) {
      expect(draftOf(store).getSnapshot()).toMatchObject({
        composer: { text: 'newer!!!', device: 'Laptop' },
        others: [{ text: 'mine' }],
      })
    }
  })

  it('[DRF14] into the Y.Text inside of a transaction is typing in the composer', () => {
    const devices = createDevices(3)
    const [a, b, c] = devices.stores as [Store, Store, Store]
    draftOf(a).set('o')
    devices.sync()
    const text = draftOf(b).text()
    for (const character of 'ne draft') {
      b.transact(() => text.insert(text.length, character))
      devices.sync(a, b)
    }
    expect(draftOf(a).getSnapshot()).toMatchObject({
      composer: { text: 'one draft', device: 'Phone' },
      others: [],
    })
    draftOf(a).clear()
    draftOf(a).set('begun apart, and edited later')
    draftOf(a).leave()
    b.transact(() => text.insert(text.length, '!'))
    send(a, b)
    expect(draftOf(b).getSnapshot().composer?.text).toBe('!')
    send(b, c)
    expect(draftOf(c).getSnapshot().others).toHaveLength(1)
  })

  it('[DRF15] an edit replaces characters beside embeds, as setting the whole text does', () => {
    const character = fc.constantFrom('a', 'b', 'c', '😀')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(character, fc.constant(null)), { maxLength: 12 }),
        fc.array(
          fc.record({
            from: fc.double({ min: 0, max: 1, noNaN: true }),
            remove: fc.nat(4),
            insert: fc.string({ unit: character, maxLength: 3 }),
          }),
          { maxLength: 6 },
        ),
        fc.boolean(),
        (content, edits, whole) => {
          const store = createStore({ userId: 'me' })
          const { draft } = store.conversation(bob)
          let model = ''
          const text = draft.text()
          content.forEach((part) => {
            if (part === null) text.insertEmbed(text.length, { image: 'x' })
            else text.insert(text.length, part)
            model += part ?? ''
          })
          for (const { from, remove, insert } of edits) {
            const characters = [...model]
            const first = Math.floor(from * characters.length)
            const index = characters.slice(0, first).join('').length
            const length = characters.slice(first, first + remove).join('').length
            const next = model.slice(0, index) + insert + model.slice(index + length)
            if (whole) draft.set(next, index + insert.length)
            else draft.edit({ index, remove: length, insert })
            model = next
            expect(draft.text().toString()).toBe(model)
          }
          const embeds = draft
            .text()
            .toDelta()
            .filter(({ insert }: { insert: unknown }) => typeof insert === 'object')
          expect(embeds).toHaveLength(content.filter((part) => part === null).length)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('[DRF15] an edit outside of the text or inside of a surrogate pair is rejected and changes nothing', () => {
    const store = createStore({ userId: 'me' })
    const { draft } = store.conversation(bob)
    draft.set('a😀b')
    const bad = [
      { index: -1, remove: 0, insert: 'x' },
      { index: 5, remove: 0, insert: 'x' },
      { index: 1.5, remove: 0, insert: 'x' },
      { index: 0, remove: 5, insert: '' },
      { index: 0, remove: Number.NaN, insert: '' },
      { index: 2, remove: 0, insert: 'x' },
      { index: 0, remove: 2, insert: 'x' },
      { index: 0, remove: 0, insert: null as unknown as string },
    ]
    for (const edit of bad) {
      expect(() => draft.edit(edit)).toThrow(
        expect.objectContaining({ code: 'invalid-argument', field: expect.stringMatching(/^edit\./) }),
      )
    }
    expect(draft.getSnapshot().composer?.text).toBe('a😀b')
  })
})

describe('the longest draft', () => {
  const tooLong = expect.objectContaining({ code: 'draft-too-long', field: 'text' })

  it('[DRF16] is a million characters, and what is longer is rejected with nothing changed or cut', () => {
    const store = createStore({ userId: 'me' })
    const { draft } = store.conversation(bob)
    draft.set('hello')
    expect(() => draft.set('x'.repeat(MAX_DRAFT_LENGTH + 1))).toThrow(tooLong)
    expect(() => draft.edit({ index: 5, remove: 0, insert: 'x'.repeat(MAX_DRAFT_LENGTH) })).toThrow(tooLong)
    expect(() => draft.import({ draftId: 'one', text: 'x'.repeat(MAX_DRAFT_LENGTH + 1) })).toThrow(tooLong)
    expect(draft.getSnapshot()).toMatchObject({ composer: { text: 'hello' }, others: [] })
  })

  it('[DRF16] can be sent, whatever characters it has, and comes back when that fails', () => {
    const store = createStore({ userId: 'me' })
    const { draft } = store.conversation(bob)
    const text = '\u0001'.repeat(MAX_DRAFT_LENGTH)
    draft.set(text)
    const submission = draft.send()
    expect(submission?.text).toBe(text)
    expect(draft.getSnapshot().sending[0]?.text).toBe(text)
    draft.sendFailed(submission?.submissionId ?? '')
    expect(draft.getSnapshot().composer?.text).toBe(text)
  })

  it('[DRF16] a Y.Text that an editor made too long is named by a check and when it is sent, stays, and can be shortened', () => {
    const store = createStore({ userId: 'me' })
    const { draft } = store.conversation(bob)
    draft.checkLength()
    expect(() => draft.checkLength(MAX_DRAFT_LENGTH + 1)).toThrow(tooLong)
    draft.text().insert(0, 'x'.repeat(MAX_DRAFT_LENGTH + 2))
    expect(() => draft.checkLength()).toThrow(tooLong)
    expect(() => draft.send()).toThrow(tooLong)
    expect(draft.getSnapshot().composer?.text).toHaveLength(MAX_DRAFT_LENGTH + 2)
    draft.set('x'.repeat(MAX_DRAFT_LENGTH + 1))
    draft.edit({ index: 0, remove: MAX_DRAFT_LENGTH, insert: '' })
    draft.checkLength()
    expect(draft.send()?.text).toBe('x')
  })
})
