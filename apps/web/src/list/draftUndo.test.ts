import { createStore } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { bringBackDraft } from './draftUndo.js'

function open(text: string) {
  const { draft } = createStore({ userId: 'me', deviceName: 'Laptop' }).conversation({
    channelId: 'bob',
    channelType: 1,
  })
  draft.set(text)
  draft.setReply({ messageSeq: 3 })
  const { composer } = draft.getSnapshot()
  if (!composer) throw new Error('a draft was begun')
  draft.clear()
  return { draft, composer }
}

describe('undoing that a draft was discarded', () => {
  it('[WEB31] brings the text and what it replies to back into an empty composer', () => {
    const { draft, composer } = open('at noon')
    expect(draft.getSnapshot().composer).toBeNull()
    bringBackDraft(draft, composer)
    expect(draft.getSnapshot().composer).toMatchObject({ text: 'at noon', reply: { messageSeq: 3 } })
  })

  it('[WEB31] leaves a text that was typed since in the composer, and offers the other beside it', () => {
    const { draft, composer } = open('at noon')
    draft.set('at one')
    bringBackDraft(draft, composer)
    const { composer: now, others } = draft.getSnapshot()
    expect(now?.text).toBe('at one')
    expect(others.map(({ text, device }) => [text, device])).toEqual([['at noon', 'Laptop']])
  })
})
