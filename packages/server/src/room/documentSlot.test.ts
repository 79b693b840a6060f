import { describe, expect, it, vi } from 'vitest'
import { createDocumentCache } from './documentCache.js'
import { createDocumentSlot, type DocumentSlot } from './documentSlot.js'
import type { RoomDocument } from './roomDocument.js'

function document(finish: () => Promise<void> = async () => {}): RoomDocument & { destroyed: number } {
  const made = {
    destroyed: 0,
    bytes: 1,
    waiting: [],
    finish,
    destroy: () => void made.destroyed++,
  }
  return made as Partial<RoomDocument> as RoomDocument & { destroyed: number }
}

function slotOf(load: () => Promise<RoomDocument>, onLoaded: () => void = () => {}): DocumentSlot {
  const cache = createDocumentCache({ maxBytes: 0, idleMs: 1 })
  const host = {
    loadDocument: load,
    hurryLoad: () => {},
    onDocumentLoaded: onLoaded,
    needsDocument: () => false,
    onDocumentGone: () => {},
    onDocumentError: (error: unknown) => expect(error).toBe(null),
  }
  return createDocumentSlot(host, cache)
}

describe('the place of a document', () => {
  it('[R2] is empty from the moment on that the document is let go of: nothing is taken by one that tells nobody', async () => {
    const left = document(() => Promise.resolve())
    const slot = slotOf(async () => left)
    ;(await slot.open('work')).release()
    const seen: unknown[] = []
    const { destroy } = left
    left.destroy = () => {
      destroy()
      queueMicrotask(() => seen.push(slot.document))
    }
    await slot.close()
    expect(seen).toEqual([null])
    expect(left.destroyed).toBe(1)
  })

  it('[R7] does not keep what comes into memory after it was given up, and tells whoever waits', async () => {
    const late = document()
    let arrive = (): void => {}
    const slot = slotOf(
      () =>
        new Promise((resolve) => {
          arrive = () => resolve(late)
        }),
    )
    const waiting = slot.open('work')
    slot.discard(new Error('given up'))
    arrive()
    await expect(waiting).rejects.toThrow('given up')
    await expect(slot.open('work')).rejects.toThrow('given up')
    expect([late.destroyed, slot.document]).toEqual([1, null])
  })

  it('[R7] tells whoever waits that what came meanwhile does not fit', async () => {
    const given = document()
    const onLoaded = vi.fn(() => slot.discard(new Error('does not fit')))
    const slot = slotOf(async () => given, onLoaded)
    await expect(slot.open('work')).rejects.toThrow('does not fit')
    expect(onLoaded).toHaveBeenCalledTimes(1)
    expect([given.destroyed, slot.document, slot.isEmpty]).toEqual([1, null, true])
  })
})
