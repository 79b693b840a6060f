/** A list of listeners that no listener can break: one that throws is reported and the others still hear. */
export interface Emitter<Event> {
  /** Calls `listener` on each event until the returned function is called. */
  subscribe: (listener: (event: Event) => void) => () => void
  emit: (event: Event) => void
  readonly size: number
}

/** Creates an {@link Emitter}; `reportError` hears what listeners throw. */
export function createEmitter<Event>(reportError: (error: unknown) => void): Emitter<Event> {
  // Wrapped, so that one function may subscribe twice and unsubscribe once.
  const listeners = new Set<{ call: (event: Event) => void }>()
  return {
    subscribe(listener) {
      const entry = { call: listener }
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
    emit(event) {
      for (const listener of [...listeners]) {
        // Taken off by one that was called before it.
        if (!listeners.has(listener)) continue
        try {
          listener.call(event)
        } catch (error) {
          reportError(error)
        }
      }
    },
    get size() {
      return listeners.size
    },
  }
}
