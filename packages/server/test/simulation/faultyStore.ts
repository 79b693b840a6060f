import type { Random } from '@parley/core/testing'
import { type LogStore, ServerError } from '../../src/index.js'

/** What goes wrong between a node and the store, and how long that takes. */
export interface StoreFaults {
  /** The longest that a call takes to get there, and as long again to be answered, in milliseconds. */
  delayMs: number
  /** How likely a call fails; half of those take effect all the same. */
  failure: number
}

/** A node's access to the store that all share. */
export interface FaultyStore {
  readonly store: LogStore
  /** The node is gone at once: what has not reached the store never does, and nobody hears of the rest. */
  kill: () => void
}

/** Puts a network between a node and a store. Calls may overtake each other. */
export function createFaultyStore(inner: LogStore, faults: StoreFaults, random: Random): FaultyStore {
  let killed = false

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const ms = random() * faults.delayMs
      // Often there is no delay at all, and what follows happens within the same turn of the event loop.
      if (faults.delayMs === 0 || random.chance(0.3)) queueMicrotask(() => killed || resolve())
      else setTimeout(() => killed || resolve(), ms)
    })
  const distant =
    <Call extends readonly unknown[], Result>(call: (...given: Call) => Promise<Result>) =>
    async (...given: Call): Promise<Result> => {
      const failure = random.chance(faults.failure) ? random.pick(['before', 'after'] as const) : null
      await pause()
      if (failure === 'before') throw new ServerError('store-unavailable', 'simulated: nothing was done')
      const result = await call(...given)
      await pause()
      if (failure === 'after') throw new ServerError('store-unavailable', 'simulated: it was done')
      return result
    }

  return {
    store: {
      ...inner,
      append: distant((room, update) => inner.append(room, update)),
      appendOwn: distant((room, own) => inner.appendOwn(room, own)),
      load: distant((room, options) => inner.load(room, options)),
      heads: distant((rooms) => inner.heads(rooms)),
      readWithHead: distant((room, name) => inner.readWithHead(room, name)),
      retireWriter: distant((room, clients) => inner.retireWriter(room, clients)),
      compact: distant((room, compaction) => inner.compact(room, compaction)),
      values: {
        ...inner.values,
        read: distant((scope, names) => inner.values.read(scope, names)),
        list: distant((scope, range) => inner.values.list(scope, range)),
        write: distant((scope, values) => inner.values.write(scope, values)),
      },
    },
    kill() {
      killed = true
    },
  }
}
