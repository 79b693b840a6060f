// @vitest-environment happy-dom
import { MAX_DRAFT_LENGTH, type ParleyError, type Store } from '@parley/core'
import { act } from 'react'
import { describe, expect, it } from 'vitest'
import { type DraftInputOptions, useDraftInput } from '../src/index.js'
import { BOB, link, mount, openStore, sync } from './helpers.js'

function Composer({ channelId = 'bob', ...options }: { channelId?: string } & DraftInputOptions) {
  return <textarea {...useDraftInput({ channelId, channelType: 1 }, options)} />
}

function openComposer(store: Store) {
  const mounted = mount(store, <Composer />)
  const field = mounted.container.querySelector('textarea') as HTMLTextAreaElement
  field.focus()
  return { ...mounted, field }
}

/** Types at the caret, as a browser does it: the field changes first, then it tells. */
function type(field: HTMLTextAreaElement, text: string): void {
  const { selectionStart, selectionEnd, value } = field
  field.value = value.slice(0, selectionStart) + text + value.slice(selectionEnd)
  field.setSelectionRange(selectionStart + text.length, selectionStart + text.length)
  act(() => field.dispatchEvent(new Event('input', { bubbles: true })))
}

const fire = (field: HTMLElement, event: string) => act(() => field.dispatchEvent(new Event(event)))
const textOf = (store: Store) => store.conversation(BOB).draft.getSnapshot().composer?.text

describe('useDraftInput', () => {
  it('types into the draft and shows it', () => {
    const store = openStore()
    const { field } = openComposer(store)
    type(field, 'hello')
    expect(textOf(store)).toBe('hello')
    act(() => store.conversation(BOB).draft.clear())
    expect(field.value).toBe('')
  })

  it('moves the selection along with what another device types before and after it', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    link(laptop, phone)
    const { field } = openComposer(laptop)
    type(field, 'world')
    field.setSelectionRange(1, 3, 'backward')
    act(() => phone.conversation(BOB).draft.set('hello world'))
    expect(field.value).toBe('hello world')
    expect([field.selectionStart, field.selectionEnd, field.selectionDirection]).toEqual([7, 9, 'backward'])
    act(() => phone.conversation(BOB).draft.set('hello world!'))
    expect([field.selectionStart, field.selectionEnd]).toEqual([7, 9])
  })

  it('keeps the caret between its letters when another device wrote on both sides of it at once', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    sync(laptop, phone)
    const { field } = openComposer(laptop)
    type(field, 'abcdef')
    sync(laptop, phone)
    field.setSelectionRange(3, 3)
    phone.conversation(BOB).draft.set('>> abcdef')
    phone.conversation(BOB).draft.set('>> abcdef <<')
    act(() => sync(laptop, phone))
    expect(field.value).toBe('>> abcdef <<')
    expect(field.selectionStart).toBe(6)
  })

  it('keeps the caret where text around it is deleted elsewhere', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    link(laptop, phone)
    const { field } = openComposer(laptop)
    type(field, 'abc XYZ def')
    field.setSelectionRange(5, 5)
    act(() => phone.conversation(BOB).draft.set('abc def'))
    expect(field.value).toBe('abc def')
    expect(field.selectionStart).toBe(4)
  })

  it('keeps the caret behind a draft that loads or that others type, until the user types', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    const { field } = openComposer(laptop)
    link(laptop, phone)
    act(() => phone.conversation(BOB).draft.set('hel'))
    act(() => phone.conversation(BOB).draft.set('hello'))
    expect([field.value, field.selectionStart]).toEqual(['hello', 5])
    type(field, '!')
    act(() => phone.conversation(BOB).draft.set('hello! there'))
    expect([field.value, field.selectionStart]).toEqual(['hello! there', 6])
  })

  it('does not touch the field while an input method composes, and merges when it is done', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    link(laptop, phone)
    const { field } = openComposer(laptop)
    type(field, 'see ')
    fire(field, 'compositionstart')
    type(field, 'に')
    act(() => phone.conversation(BOB).draft.set('I see に'))
    expect(field.value).toBe('see に')
    type(field, 'ほ')
    expect(field.value).toBe('see にほ')
    expect(textOf(laptop)).toBe('I see にほ')
    fire(field, 'compositionend')
    expect(field.value).toBe('I see にほ')
    expect(field.selectionStart).toBe(8)
    expect(textOf(phone)).toBe('I see にほ')
  })

  it('takes an input that arrives after the end of its composition, as in Safari', () => {
    const store = openStore()
    const { field } = openComposer(store)
    fire(field, 'compositionstart')
    field.value = '日本'
    fire(field, 'compositionend')
    fire(field, 'input')
    expect(textOf(store)).toBe('日本')
    expect(field.value).toBe('日本')
  })

  it('leaves the draft on blur, so that the list may move', () => {
    const store = openStore()
    const { field } = openComposer(store)
    type(field, 'hello')
    expect(store.conversation(BOB).getSnapshot().activeAt).toBe(0)
    fire(field, 'blur')
    expect(store.conversation(BOB).getSnapshot().activeAt).toBeGreaterThan(0)
  })

  it('leaves the draft when it goes away, even after its store was closed', () => {
    const store = openStore()
    const { field, unmount } = openComposer(store)
    type(field, 'hello')
    unmount()
    expect(store.conversation(BOB).getSnapshot().activeAt).toBeGreaterThan(0)

    const closed = openStore()
    const second = openComposer(closed)
    type(second.field, 'hello')
    closed.close()
    expect(() => second.unmount()).not.toThrow()
  })

  it('binds one field to another conversation without carrying text over', () => {
    const store = openStore()
    const { field, render } = openComposer(store)
    type(field, 'for bob')
    render(<Composer channelId="carol" />)
    expect(field.value).toBe('')
    type(field, 'for carol')
    expect(textOf(store)).toBe('for bob')
    render(<Composer />)
    expect(field.value).toBe('for bob')
  })

  it('[DRF16] a text that is too long stays in the field and is reported until it fits', () => {
    const store = openStore()
    const rejections: Array<ParleyError | null> = []
    const mounted = mount(store, <Composer onReject={(error) => void rejections.push(error)} />)
    const field = mounted.container.querySelector('textarea') as HTMLTextAreaElement
    field.focus()
    type(field, 'hello')
    type(field, 'x'.repeat(MAX_DRAFT_LENGTH))
    expect(field.value).toHaveLength(MAX_DRAFT_LENGTH + 5)
    expect(textOf(store)).toBe('hello')
    expect(rejections).toMatchObject([{ code: 'draft-too-long', field: 'text' }])
    // What arrives meanwhile does not replace it.
    act(() => store.conversation(BOB).draft.set('hello!'))
    expect(field.value).toHaveLength(MAX_DRAFT_LENGTH + 5)
    field.value = 'hello there'
    fire(field, 'input')
    expect(rejections.at(-1)).toBeNull()
    expect(textOf(store)).toBe('hello there!')
    expect(field.value).toBe('hello there!')
  })

  it('goes on with what is typed here after the draft was sent elsewhere', () => {
    const [laptop, phone] = [openStore('Laptop'), openStore('Phone')]
    sync(laptop, phone)
    const { field } = openComposer(laptop)
    type(field, 'hello')
    sync(laptop, phone)
    phone.conversation(BOB).draft.send()
    type(field, ' there')
    act(() => sync(laptop, phone))
    expect(field.value).toBe(textOf(laptop) ?? '')
    expect(field.value).toContain(' there')
  })
})
