import { createEmitter, type Readable } from '@parley/core'
import type { ClientStatus } from './status.js'

/** The parts of a {@link ClientStatus} that are not worked out from others. */
export type StatusParts = Omit<ClientStatus, 'saved'>

/** Holds the current {@link ClientStatus}. */
export interface StatusStore extends Readable<ClientStatus> {
  update: (change: Partial<StatusParts>) => void
}

/** Creates a {@link StatusStore}. Listeners hear only of changes that can be seen. */
export function createStatusStore(initial: StatusParts, reportError: (error: unknown) => void): StatusStore {
  const changes = createEmitter<void>(reportError)
  let current = complete(initial)
  return {
    subscribe: (listener) => changes.subscribe(listener),
    getSnapshot: () => current,
    update(change) {
      const next: Record<string, unknown> = { ...current }
      for (const [name, value] of Object.entries(change)) {
        if (!isSame(next[name], value)) next[name] = value
      }
      const completed = complete(next as unknown as StatusParts)
      if (isSame(completed, current)) return
      current = completed
      changes.emit()
    },
  }
}

function complete(parts: StatusParts): ClientStatus {
  const { disk, server } = parts.unsaved
  const saved = !server ? 'server' : !disk ? 'disk' : 'memory'
  return Object.freeze({ ...parts, saved })
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
