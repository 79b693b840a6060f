import type { LogStore } from '../log/logStore.js'
import type { Metrics, StoreOperation } from './metrics.js'

const MS_PER_S = 1000

/** Puts a stopwatch around a store. What it does is the store's own. */
export function measureLog(store: LogStore, metrics: Metrics): LogStore {
  /** Runs an operation; tells how long it took if it succeeded, and that it failed if it did not. */
  const measure = <Result>(
    operation: StoreOperation,
    run: () => Promise<Result>,
    done: (seconds: number, result: Result) => void,
  ): Promise<Result> => {
    const started = performance.now()
    return run().then(
      (result) => {
        done((performance.now() - started) / MS_PER_S, result)
        return result
      },
      (error) => {
        metrics.storeFailed(operation)
        throw error
      },
    )
  }
  const ignore = (): void => {}

  return {
    ...store,
    append: (room, update) =>
      measure(
        'append',
        () => store.append(room, update),
        (seconds) => metrics.committed(seconds, update.byteLength),
      ),
    appendOwn: (room, own) =>
      measure(
        'append',
        () => store.appendOwn(room, own),
        (seconds, row) => {
          if (row) metrics.committed(seconds, row.update.byteLength)
        },
      ),
    load: (room, options) => measure('load', () => store.load(room, options), metrics.loaded),
    heads: (rooms) => measure('heads', () => store.heads(rooms), ignore),
    compact: (room, compaction) =>
      measure('compact', () => store.compact(room, compaction), metrics.compacted),
    quarantine: (room, rows) =>
      measure(
        'quarantine',
        () => store.quarantine(room, rows),
        () => metrics.quarantined(rows.length),
      ),
    values: {
      ...store.values,
      list: (scope, range) => measure('values', () => store.values.list(scope, range), ignore),
      read: (scope, names) => measure('values', () => store.values.read(scope, names), ignore),
      write: (scope, values) => measure('values', () => store.values.write(scope, values), ignore),
    },
    check: () => measure('check', () => store.check(), ignore),
  }
}
