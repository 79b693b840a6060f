import { afterEach, describe, expect, it } from 'vitest'
import type { Bus, BusMessage } from './bus.js'
import { listen } from './listen.js'

/** What the acceptance suite needs of an implementation. */
export interface BusSetup {
  /** Prepares a bus that no other test uses; the returned function connects a node to it. */
  open: () => Promise<() => Promise<Bus>>
}

const NAMES = ['', 'a', 'a/', 'a/b', 'a*', 'a?', '%', ' ', 'ä', '名前', '🙂', 'a'.repeat(200), '\0']
const MESSAGES: readonly BusMessage[] = [
  { type: 'row', version: 1, update: new Uint8Array() },
  { type: 'row', version: 2 ** 53 - 1, update: new Uint8Array([0, 255, 10, 13, 0]) },
  { type: 'row', version: 7, update: null },
  { type: 'awareness', update: new Uint8Array([1, 1, 0]) },
  { type: 'revoked', uid: 'ali/ce', device: 'Phone 📱', before: 1_700_000_000_000 },
  { type: 'revoked', uid: 'alice', device: null, before: 1_700_000_000_000.5 },
  { type: 'revoked', uid: 'alice', device: '', before: 0 },
]

/**
 * The acceptance suite of a {@link Bus}, for a test file of its implementation.
 *
 * @example
 * ```ts
 * import { createLocalBusHub } from '@parley/server'
 * import { runBusTests } from '@parley/server/testing'
 *
 * runBusTests('local', {
 *   open: async () => {
 *     const hub = createLocalBusHub()
 *     return async () => hub.connect()
 *   },
 * })
 * ```
 */
export function runBusTests(title: string, setup: BusSetup): void {
  const buses: Bus[] = []
  const openAll = async (count: number): Promise<Bus[]> => {
    const connect = await setup.open()
    const opened = await Promise.all(Array.from({ length: count }, connect))
    buses.push(...opened)
    return opened
  }

  describe(`bus: ${title}`, () => {
    afterEach(async () => {
      await Promise.all(buses.splice(0).map((bus) => bus.close()))
    })

    it('[B1] tells the nodes that subscribed to a room, as it was said', async () => {
      const [from, one, other] = (await openAll(3)) as [Bus, Bus, Bus]
      const heard = [listen(one, 'alice'), listen(other, 'alice')]
      await Promise.all(heard.map((listening) => listening.isHeard(from)))
      for (const message of MESSAGES) from.publish('alice', message)
      for (const { messages, until } of heard) {
        await until(() => messages.length === MESSAGES.length)
        expect(messages).toEqual(MESSAGES)
      }
    })

    it('[B1] does not tell a node what it said itself', async () => {
      const [one, other] = (await openAll(2)) as [Bus, Bus]
      const mine = listen(one, 'alice')
      const others = listen(other, 'alice')
      await mine.isHeard(other)
      await others.isHeard(one)
      one.publish('alice', MESSAGES[0] as BusMessage)
      await others.until(() => others.messages.length === 1)
      // What another node says afterwards comes after whatever was said before.
      other.publish('alice', MESSAGES[1] as BusMessage)
      await mine.until(() => mine.messages.length > 0)
      expect(mine.messages).toEqual([MESSAGES[1]])
    })

    it('[B2] keeps rooms apart whatever their names', async () => {
      const [from, to] = (await openAll(2)) as [Bus, Bus]
      const heard = NAMES.map((room) => listen(to, room))
      await Promise.all(heard.map((listening) => listening.isHeard(from)))
      for (const [n, room] of NAMES.entries())
        from.publish(room, { type: 'row', version: n + 1, update: null })
      for (const [n, { messages, until }] of heard.entries()) {
        await until(() => messages.length > 0)
        expect(messages).toEqual([{ type: 'row', version: n + 1, update: null }])
      }
    })

    it('[B3] tells each listener until it has enough', async () => {
      const [from, to] = (await openAll(2)) as [Bus, Bus]
      const [leaving, staying] = [listen(to, 'alice'), listen(to, 'alice')]
      await staying.isHeard(from)
      leaving.stop()
      leaving.stop()
      leaving.messages.length = 0
      from.publish('alice', MESSAGES[0] as BusMessage)
      await staying.until(() => staying.messages.length === 1)
      expect(leaving.messages).toEqual([])
      staying.stop()
      const again = listen(to, 'alice')
      await again.isHeard(from)
    })

    it('[B4] announces a large row, with its bytes or without', async () => {
      const [from, to] = (await openAll(2)) as [Bus, Bus]
      const { messages, until, isHeard } = listen(to, 'alice')
      await isHeard(from)
      const update = new Uint8Array(4_000_000).fill(7)
      from.publish('alice', { type: 'row', version: 5, update })
      await until(() => messages.length > 0)
      const [message] = messages
      expect(message).toMatchObject({ type: 'row', version: 5 })
      if (message?.type === 'row' && message.update) expect(Buffer.compare(message.update, update)).toBe(0)
    })

    it('[B5] throws nothing at whoever tells, listens or closes, before and afterwards', async () => {
      const [bus] = (await openAll(1)) as [Bus]
      bus.publish('nobody', MESSAGES[0] as BusMessage)
      const stop = bus.subscribe('alice', () => {})
      await Promise.all([bus.close(), bus.close()])
      bus.publish('alice', MESSAGES[0] as BusMessage)
      stop()
      bus.subscribe('alice', () => {})()
      await bus.close()
    })
  })
}
