import type { Random } from '@parley/core/testing'
import type { Bus, BusMessage } from '../../src/index.js'

/** What goes wrong between nodes. */
export interface BusFaults {
  /** The longest a hint takes, in milliseconds; later ones overtake it. */
  delayMs: number
  /** How likely a hint is lost. */
  loss: number
  /** How likely it comes twice. */
  repetition: number
}

/** Loses, delays, repeats and reorders what a node tells the others; sometimes it leaves out what is in a row. */
export function createLossyBus(inner: Bus, faults: BusFaults, random: Random): Bus {
  const deliver = (room: string, message: BusMessage): void => {
    setTimeout(() => inner.publish(room, message), random() * faults.delayMs)
  }
  return {
    ...inner,
    publish(room, message) {
      if (random.chance(faults.loss)) return
      const isBrief = message.type === 'row' && random.chance(0.2)
      const told = isBrief ? { ...message, update: null } : message
      deliver(room, told)
      if (random.chance(faults.repetition)) deliver(room, told)
    },
  }
}
