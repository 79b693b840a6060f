import type { ListFilter, ListSnapshot, ListView, ListWindow, Store } from '@parley/core'

/** A list view that follows the store only while somebody listens. */
export interface ListSource {
  subscribe: (listener: () => void) => () => void
  getSnapshot: () => ListSnapshot
  setWindow: (window: ListWindow | undefined) => void
}

/** The whole list. */
const EVERYTHING: ListWindow = { offset: 0, limit: Number.POSITIVE_INFINITY }

/**
 * Creates a {@link ListSource}. React renders components that it never mounts, and mounts twice in StrictMode: a view that
 * is made while rendering would never be closed, so this one opens with its first listener and closes with the last.
 */
export function createListSource(store: Store, filter: ListFilter, initialWindow?: ListWindow): ListSource {
  let window = initialWindow ?? EVERYTHING
  let view: ListView | null = null
  let listeners = 0
  let last: ListSnapshot | null = null

  const remember = (next: ListSnapshot): ListSnapshot => {
    if (!last || !isSame(last, next)) last = next
    return last
  }
  const readOnce = (): ListSnapshot => {
    const glance = store.list(filter, window)
    const snapshot = glance.getSnapshot()
    glance.close()
    return snapshot
  }

  return {
    subscribe(listener) {
      view ??= store.list(filter, window)
      listeners++
      const unsubscribe = view.subscribe(listener)
      let subscribed = true
      return () => {
        if (!subscribed) return
        subscribed = false
        unsubscribe()
        listeners--
        if (listeners > 0) return
        view?.close()
        view = null
      }
    },
    getSnapshot() {
      if (view) return remember(view.getSnapshot())
      // Not mounted yet. React asks again once it listens, so an answer that is a little old does no harm.
      last ??= readOnce()
      return last
    },
    setWindow(next = EVERYTHING) {
      if (next.offset === window.offset && next.limit === window.limit) return
      window = next
      if (view) view.setWindow(next)
      else last = null
    },
  }
}

/** Compares what two views of the same store show: their conversations are the same objects. */
function isSame(a: ListSnapshot, b: ListSnapshot): boolean {
  return (
    a === b ||
    (a.total === b.total &&
      a.offset === b.offset &&
      a.conversations.length === b.conversations.length &&
      a.conversations.every((conversation, index) => conversation === b.conversations[index]))
  )
}
