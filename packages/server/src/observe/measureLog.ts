import type { LogRow, LogStore } from '../log/logStore.js'
import type { Metrics, StoreOperation } from './metrics.js'

const MS_PER_S = 1000

/** Puts a stopwatch around a store. What it does is the store's own. */
export function measureLog(store: LogStore, metrics: Metrics): LogStore {
  /** Tells of an operation that it failed. */
  const failureOf =
    (operation: StoreOperation) =>
    (error: unknown): never => {
      metrics.storeFailed(operation)
      throw error
    }
  // Made once: some are asked for with every request.
  const failed = {
    append: failureOf('append'),
    load: failureOf('load'),
    heads: failureOf('heads'),
    compact: failureOf('compact'),
    quarantine: failureOf('quarantine'),
    values: failureOf('values'),
    check: failureOf('check'),
  } satisfies Record<StoreOperation, unknown>
  const ownCommitted = (seconds: number, row: LogRow | null): void => {
    if (row) metrics.committed(seconds, row.update.byteLength)
  }
  /** Runs an operation; tells how long it took if it succeeded, and that it failed if it did not. */
  const measure = <Result>(
    operation: StoreOperation,
    run: () => Promise<Result>,
    done: (seconds: number, result: Result) => void,
  ): Promise<Result> => {
    const started = performance.now()
    return run().then((result) => {
      done((performance.now() - started) / MS_PER_S, result)
      return result
    }, failed[operation])
  }

  return {
    ...store,
    append: (room, update) =>
      measure(
        'append',
        () => store.append(room, update),
        (seconds) => metrics.committed(seconds, update.byteLength),
      ),
    appendOwn: (room, own) => measure('append', () => store.appendOwn(room, own), ownCommitted),
    load: (room, options) => measure('load', () => store.load(room, options), metrics.loaded),
    heads: (rooms) => store.heads(rooms).catch(failed.heads),
    readWithHead: (room, name) => store.readWithHead(room, name).catch(failed.values),
    compact: (room, compaction) =>
      measure('compact', () => store.compact(room, compaction), metrics.compacted),
    quarantine: (room, rows) =>
      measure(
        'quarantine',
        () => store.quarantine(room, rows),
        () => metrics.quarantined(rows.length),
      ),
    retireWriter: (room, clients) => store.retireWriter(room, clients).catch(failed.values),
    values: {
      ...store.values,
      list: (scope, range) => store.values.list(scope, range).catch(failed.values),
      read: (scope, names) => store.values.read(scope, names).catch(failed.values),
      write: (scope, values) => store.values.write(scope, values).catch(failed.values),
    },
    check: () => store.check().catch(failed.check),
  }
}
