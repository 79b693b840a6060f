import type { LogStore } from './logStore.js'

/**
 * A log store that tells of each update of a device that is appended through it, when it is durable. What the server itself
 * appends it does not tell.
 *
 * @param onAppend must not throw
 */
export function watchAppends(store: LogStore, onAppend: (room: string, version: number) => void): LogStore {
  return {
    ...store,
    async append(room, update) {
      const version = await store.append(room, update)
      onAppend(room, version)
      return version
    },
  }
}
