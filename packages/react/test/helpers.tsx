import { createStore, onUpdate, type Store } from '@parley/core'
import { act, type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach } from 'vitest'
import * as Y from 'yjs'
import { ParleyProvider } from '../src/index.js'

;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true

const cleanups: Array<() => void> = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** The other person of most tests. */
export const BOB = { channelId: 'bob', channelType: 1 }

/** A store with an error reporter that fails the test. */
export function openStore(deviceName = 'Laptop', userId = 'alice'): Store {
  const store = createStore({
    userId,
    deviceName,
    environment: {
      reportError: (error) => {
        throw error
      },
    },
  })
  cleanups.push(() => store.close())
  return store
}

/** A message to alice. */
export function message(channelId: string, messageSeq: number, more: Partial<{ fromUid: string }> = {}) {
  return {
    channel: { channelId, channelType: 1 },
    messageSeq,
    fromUid: channelId,
    timestamp: 1_700_000_000_000 + messageSeq,
    payload: { text: `message ${messageSeq}` },
    ...more,
  }
}

/** Brings two stores to the same state, as a server does when both are online. */
export function sync(a: Store, b: Store): void {
  const toB = Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc))
  const toA = Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc))
  b.applyUpdate(toB, 'remote')
  a.applyUpdate(toA, 'remote')
}

/** Keeps two stores in sync from now on. */
export function link(a: Store, b: Store): void {
  sync(a, b)
  const forward = (from: Store, to: Store): void => {
    cleanups.push(
      onUpdate(from.doc, ({ update, origin }) => origin !== 'remote' && to.applyUpdate(update, 'remote')),
    )
  }
  forward(a, b)
  forward(b, a)
}

/** What {@link mount} gives. */
export interface Mounted {
  readonly container: HTMLElement
  render: (children: ReactNode) => void
  unmount: () => void
}

/** Renders into the page, in StrictMode, inside of a provider of the store. */
export function mount(store: Store, children: ReactNode): Mounted {
  const container = document.createElement('div')
  document.body.append(container)
  const root = createRoot(container)
  const render = (next: ReactNode): void =>
    act(() =>
      root.render(
        <StrictMode>
          <ParleyProvider store={store}>{next}</ParleyProvider>
        </StrictMode>,
      ),
    )
  let mounted = true
  const unmount = (): void => {
    if (!mounted) return
    mounted = false
    act(() => root.unmount())
    container.remove()
  }
  cleanups.push(unmount)
  render(children)
  return { container, render, unmount }
}
