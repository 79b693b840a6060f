import type { Bus, BusMessage } from './bus.js'

/** Between two attempts to be heard: a subscription takes a moment to be known to the others. */
const RETRY_MS = 10

/** What marks begin with; nobody says this in earnest. */
const MARK = 'parley mark '

/** A listener that remembers what it heard. */
export interface Listening {
  readonly messages: BusMessage[]
  stop: () => void
  /** Waits until something is so; the test ends it if it never is. */
  until: (isSo: () => boolean) => Promise<void>
  /** Waits until this listener hears what a node says; what is said for it is in nobody's `messages`. */
  isHeard: (from: Bus) => Promise<void>
}

/** Listens at a bus, for its tests. */
export function listen(bus: Bus, room: string): Listening {
  const messages: BusMessage[] = []
  const marks = new Set<string>()
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  return {
    messages,
    stop: bus.subscribe(room, (message) => {
      const mark = message.type === 'awareness' ? new TextDecoder().decode(message.update) : ''
      if (mark.startsWith(MARK)) marks.add(mark)
      else messages.push(message)
    }),
    until,
    async isHeard(from) {
      const mark = MARK + crypto.randomUUID()
      await until(() => {
        if (marks.has(mark)) return true
        from.publish(room, { type: 'awareness', update: new TextEncoder().encode(mark) })
        return false
      })
    },
  }
}
