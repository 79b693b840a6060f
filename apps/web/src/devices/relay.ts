import { createEmitter, onUpdate, type Readable, type Store } from '@parley/core'
import * as Y from 'yjs'

/** Stands in for the server where there is none: carries updates between two stores of one page. */
export interface Relay {
  /** Whether a device is on the network, as the chat server sees it too. */
  readonly online: readonly [Readable<boolean>, Readable<boolean>]
  setOnline: (device: 0 | 1, online: boolean) => void
  /** Begins to carry. */
  start: (stores: readonly [Store, Store]) => () => void
}

const RELAYED = Symbol('parley.web.relayed')

/** Creates a {@link Relay} with both devices on the network. */
export function createRelay(): Relay {
  const changes = createEmitter<void>(console.error)
  const online: [boolean, boolean] = [true, true]
  let stores: readonly [Store, Store] | null = null

  const connected = (): boolean => online[0] && online[1]
  const meet = (): void => {
    if (!stores || !connected()) return
    const [a, b] = stores
    const toB = Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc))
    const toA = Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc))
    b.applyUpdate(toB, RELAYED)
    a.applyUpdate(toA, RELAYED)
  }
  const readable = (device: 0 | 1): Readable<boolean> => ({
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => online[device],
  })

  return {
    online: [readable(0), readable(1)],
    setOnline(device, next) {
      if (online[device] === next) return
      online[device] = next
      meet()
      changes.emit()
    },
    start(pair) {
      stores = pair
      meet()
      const [a, b] = pair
      const carry = (from: Store, to: Store): (() => void) =>
        onUpdate(from.doc, ({ update, origin }) => {
          if (connected() && origin !== RELAYED) to.applyUpdate(update, RELAYED)
        })
      const stops = [carry(a, b), carry(b, a)]
      return () => {
        stores = null
        for (const stop of stops) stop()
      }
    },
  }
}
