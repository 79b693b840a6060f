import type { Channel, Submission } from '@parley/core'
import { type KeyValue, readJson } from './keyValue.js'

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

/** Creates an {@link Outbox}; tabs that share `storage` and `name` share it. */
export function createOutbox(storage: KeyValue, name: string): Outbox {
  const key = `parley.demo.${name}.outbox`
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
