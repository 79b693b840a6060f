import type { Bus, BusMessage } from './bus.js'

/** Between two attempts to be heard: a subscription takes a moment to be known to the others. */
const RETRY_MS = 10

/** A listener that remembers what it heard. */
export interface Listening {
  readonly messages: BusMessage[]
  /** How many it heard in all. */
  readonly received: number
  stop: () => void
  /** Waits until something is so; the test ends it if it never is. */
  until: (isSo: () => boolean) => Promise<void>
  /** Waits until this listener hears what a node says, and forgets what it heard so far. */
  isHeard: (from: Bus) => Promise<void>
}

/** Listens at a bus, for its tests. */
export function listen(bus: Bus, room: string): Listening {
  const messages: BusMessage[] = []
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  let number = 0
  let received = 0
  return {
    messages,
    get received() {
      return received
    },
    stop: bus.subscribe(room, (message) => {
      received++
      messages.push(message)
    }),
    until,
    async isHeard(from) {
      await until(() => {
        const last = messages.at(-1)
        if (last?.type === 'row' && last.version === number) return true
        number++
        from.publish(room, { type: 'row', version: number, update: null })
        return false
      })
      messages.length = 0
    },
  }
}
