import type { Random } from '@parley/core/testing'

/** One direction of a connection: what is sent arrives later, in order, until it is cut. */
export interface Link<Message> {
  send: (message: Message) => void
  /** What is on its way is lost. */
  cut: () => void
}

/** Creates a {@link Link} that takes up to `delayMs` milliseconds for each message. */
export function createLink<Message>(
  random: Random,
  delayMs: number,
  deliver: (message: Message) => void,
): Link<Message> {
  const underway: Message[] = []
  let busy = false
  let isCut = false

  const next = (): void => {
    if (busy || underway.length === 0) return
    busy = true
    setTimeout(() => {
      busy = false
      // What came in together arrives together now and then, as with a socket.
      const count = random.chance(0.5) ? underway.length : 1
      for (const message of underway.splice(0, count)) if (!isCut) deliver(message)
      next()
    }, random() * delayMs)
  }

  return {
    send(message) {
      if (isCut) return
      underway.push(message)
      next()
    },
    cut() {
      isCut = true
    },
  }
}
