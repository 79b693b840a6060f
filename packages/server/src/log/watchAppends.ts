import type { LogStore } from './logStore.js'

/**
 * A log store that tells of each update of a device that is appended through it, when it is durable. What the server itself
 * appends it does not tell.
 *
 * @param onAppend must not throw
 */
export function watchAppends(store: LogStore, onAppend: (room: string, version: number) => void): LogStore {
  return {
    async append(room, update) {
      const version = await store.append(room, update)
      onAppend(room, version)
      return version
    },
    appendOwn: (room, own) => store.appendOwn(room, own),
    load: (room, options) => store.load(room, options),
    heads: (rooms) => store.heads(rooms),
    compact: (room, compaction) => store.compact(room, compaction),
    quarantine: (room, rows) => store.quarantine(room, rows),
    size: (room) => store.size(room),
    values: store.values,
    delete: (room) => store.delete(room),
    rooms: () => store.rooms(),
    check: () => store.check(),
    close: () => store.close(),
  }
}
