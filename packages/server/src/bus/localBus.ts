import type { Bus, BusMessage } from './bus.js'

type Listener = (message: BusMessage) => void

/** Connects nodes that are in one process. */
export interface LocalBusHub {
  /** A node's access to the others. */
  connect: () => Bus
}

/**
 * Creates a hub for several servers in one process, as tests have them. A server alone needs none.
 *
 * @example
 * ```ts
 * import { createLocalBusHub } from '@parley/server'
 *
 * const hub = createLocalBusHub()
 * const [one, other] = [hub.connect(), hub.connect()]
 * one.subscribe('alice', (message) => console.log(message.type))
 * other.publish('alice', { type: 'row', version: 1, update: null })
 * ```
 */
export function createLocalBusHub(): LocalBusHub {
  const nodes = new Set<Map<string, Set<Listener>>>()
  return {
    connect() {
      const mine = new Map<string, Set<Listener>>()
      nodes.add(mine)
      return {
        publish(room, message) {
          for (const node of nodes) {
            if (node === mine) continue
            // Later, as from another machine.
            for (const listener of node.get(room) ?? []) queueMicrotask(() => listener(message))
          }
        },
        subscribe(room, listener) {
          const listeners = mine.get(room) ?? new Set()
          mine.set(room, listeners)
          listeners.add(listener)
          return () => {
            listeners.delete(listener)
            if (listeners.size === 0 && mine.get(room) === listeners) mine.delete(room)
          }
        },
        async close() {
          mine.clear()
          nodes.delete(mine)
        },
      }
    },
  }
}
