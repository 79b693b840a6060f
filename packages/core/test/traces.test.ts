import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createStore, type Draft, onUpdate, type Store } from '../src/index.js'
import { bob } from './support/devices.js'

interface Transaction {
  readonly agent: number
  readonly parents: readonly number[]
  readonly patches: ReadonlyArray<readonly [place: number, remove: number, insert: string]>
}

const AGENTS = 3

/** What people typed into one text at once, each transaction with those that its typist had seen. */
function readTrace(): Transaction[] {
  return readFileSync(new URL('./support/clownschool.tsv', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [agent = '', parents = '', patches = ''] = line.split('\t')
      return {
        agent: Number(agent),
        parents: parents === '' ? [] : parents.split(',').map(Number),
        patches: JSON.parse(patches),
      }
    })
}

interface Typist {
  readonly doc: Y.Doc
  readonly type: (place: number, remove: number, insert: string) => void
  readonly apply: (update: Uint8Array) => void
}

/** Lets each typist do their part when they have seen what they had seen then; brings all together in the end. */
function replay(trace: readonly Transaction[], typists: readonly Typist[]): void {
  const updates = trace.map((): Uint8Array[] => [])
  const seen = typists.map(() => new Set<number>())
  let current: Uint8Array[] = []
  const stops = typists.map(({ doc }) =>
    onUpdate(doc, ({ update, local }) => {
      if (local) current.push(update)
    }),
  )
  for (const [index, { agent, parents, patches }] of trace.entries()) {
    const { type, apply } = typists[agent] as Typist
    const has = seen[agent] as Set<number>
    const missing = new Set<number>()
    for (const open = [...parents]; open.length > 0; ) {
      const next = open.pop() as number
      if (has.has(next) || missing.has(next)) continue
      missing.add(next)
      open.push(...(trace[next] as Transaction).parents)
    }
    for (const next of [...missing].sort((a, b) => a - b)) {
      for (const update of updates[next] ?? []) apply(update)
      has.add(next)
    }
    current = updates[index] as Uint8Array[]
    for (const patch of patches) type(...patch)
    has.add(index)
  }
  for (const stop of stops) stop()
  for (let round = 0; round < 3; round++) {
    for (const from of typists)
      for (const to of typists) if (from !== to) to.apply(Y.encodeStateAsUpdate(from.doc))
  }
}

function offsetOf(text: string, codePoints: number): number {
  return [...text].slice(0, codePoints).join('').length
}

/** The text that Yjs alone makes of it; concurrent insertions at one place are ordered by client ids. */
function expectedText(trace: readonly Transaction[]): string {
  const docs = Array.from({ length: AGENTS }, (_, agent) => {
    const doc = new Y.Doc()
    doc.clientID = 1000 + agent
    return doc
  })
  replay(
    trace,
    docs.map((doc) => ({
      doc,
      apply: (update) => Y.applyUpdate(doc, update),
      type(place, remove, insert) {
        const text = doc.getText('text')
        doc.transact(() => {
          text.delete(place, remove)
          text.insert(place, insert)
        })
      },
    })),
  )
  return docs[0]?.getText('text').toString() ?? ''
}

const WAYS: Readonly<
  Record<
    string,
    (store: Store, draft: Draft, edit: { index: number; remove: number; insert: string }) => void
  >
> = {
  'in the Y.Text': (store, draft, { index, remove, insert }) =>
    store.doc.transact(() => {
      draft.text().delete(index, remove)
      draft.text().insert(index, insert)
    }),
  'by set()': (_store, draft, { index, remove, insert }) => {
    const before = draft.text().toString()
    draft.set(before.slice(0, index) + insert + before.slice(index + remove), index + insert.length)
  },
  'by edit()': (_store, draft, edit) => draft.edit(edit),
  'inside of transact()': (store, draft, { index, remove, insert }) =>
    store.transact(() => {
      draft.text().delete(index, remove)
      draft.text().insert(index, insert)
    }),
}

describe('what people really typed into one text at once', () => {
  const trace = readTrace()
  const expected = expectedText(trace)

  it.each(Object.entries(WAYS))(
    '[D1] [DRF14] [DRF15] typed %s, stays one draft with the right text',
    { timeout: 60_000 },
    (_way, type) => {
      let now = 1_700_000_000_000
      const stores = Array.from({ length: AGENTS }, (_, agent) => {
        const doc = new Y.Doc()
        doc.clientID = 1000 + agent
        return createStore({ userId: 'me', doc, environment: { now: () => now, schedule: () => () => {} } })
      })
      const draftOf = (store: Store): Draft => store.conversation(bob).draft
      draftOf(stores[0] as Store).text()
      for (const store of stores.slice(1)) store.applyUpdate(Y.encodeStateAsUpdate((stores[0] as Store).doc))
      replay(
        trace,
        stores.map((store) => ({
          doc: store.doc,
          apply: (update) => void store.applyUpdate(update),
          type(place, remove, insert) {
            now += 200
            const before = draftOf(store).text().toString()
            const index = offsetOf(before, place)
            const end = offsetOf(before, place + remove)
            type(store, draftOf(store), { index, remove: end - index, insert })
          },
        })),
      )
      expect(expected.length).toBeGreaterThan(500)
      for (const store of stores) {
        expect(draftOf(store).getSnapshot()).toMatchObject({
          composer: { text: expected },
          others: [],
          recovered: [],
        })
        expect(store.drafts.getSnapshot()).toHaveLength(1)
      }
    },
  )
})
