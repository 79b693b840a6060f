import type { Reason, StorageReasonCode, StorageStatus } from '../status/status.js'
import type { DocumentStorage } from './documentStorage.js'

/** Creates a storage that keeps nothing beyond the tab, and says so: no edit is ever called committed. */
export function createMemoryStorage(reason: Reason<StorageReasonCode>): DocumentStorage {
  const status: StorageStatus = { state: 'memory', reason, quarantined: 0 }
  const notes = new Map<string, unknown>()
  const done = Promise.resolve()
  return {
    ready: done,
    status,
    append: () => {},
    flush: () => done,
    compact: () => done,
    giveUpHeld: () => done,
    getNote: async (key) => notes.get(key),
    setNote: async (key, value) => void notes.set(key, value),
    close: () => done,
    abandon: () => {},
    destroy: () => done,
  }
}
