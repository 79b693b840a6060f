import type { Channel, Submission } from '@parley/core'
import { demoPrefix, type KeyValue, readJson } from './keyValue.js'

/** A submission on its way to the chat server. */
export interface Waiting {
  readonly channel: Channel
  readonly submission: Submission
}

/** What this device has submitted and the chat server has not taken yet. It outlives a reload. */
export interface Outbox {
  entries: () => readonly Waiting[]
  add: (entry: Waiting) => void
  remove: (submissionId: string) => void
}

/** Creates the {@link Outbox} of a device; tabs that share `storage` share it. `profile` tells a user's devices apart. */
export function createOutbox(storage: KeyValue, userId: string, profile = ''): Outbox {
  const key = `${demoPrefix(userId)}outbox/${encodeURIComponent(profile)}`
  const entries = (): Waiting[] => readJson<Waiting[]>(storage, key, [])
  return {
    entries,
    add: (entry) => storage.setItem(key, JSON.stringify([...entries(), entry])),
    remove(submissionId) {
      const left = entries().filter(({ submission }) => submission.submissionId !== submissionId)
      storage.setItem(key, JSON.stringify(left))
    },
  }
}
