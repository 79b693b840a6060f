import type { Bus } from '../bus/bus.js'
import type { Metrics } from './metrics.js'

/** Counts what goes over a bus. */
export function measureBus(bus: Bus, metrics: Metrics): Bus {
  return {
    ...bus,
    publish(room, message) {
      metrics.busMessage('published', message.type)
      bus.publish(room, message)
    },
    subscribe: (room, listener) =>
      bus.subscribe(room, (message) => {
        metrics.busMessage('received', message.type)
        listener(message)
      }),
  }
}
