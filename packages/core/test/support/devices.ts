import * as Y from 'yjs'
import { type Channel, createStore, type Message, type Store } from '../../src/index.js'

/** One user's devices with a common wall clock, synced by hand. */
export interface Devices {
  readonly stores: Store[]
  /** Milliseconds since 1970. */
  now: number
  /** Opens another device, with the document of a store if one is given. */
  add: (from?: Store) => Store
  /** Brings devices, all by default, to the same state. */
  sync: (...stores: Store[]) => void
}

export const bob: Channel = { channelId: 'bob', channelType: 1 }
export const group: Channel = { channelId: 'ubuntu', channelType: 2 }

/** Creates devices called Laptop, Phone, Tablet. */
export function createDevices(count: number): Devices {
  const names = ['Laptop', 'Phone', 'Tablet', 'Watch']
  const devices: Devices = {
    stores: [],
    now: 1_700_000_000_000,
    add(from) {
      const doc = new Y.Doc()
      if (from) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from.doc))
      const store = createStore({
        userId: 'me',
        doc,
        deviceName: names[devices.stores.length] ?? 'Device',
        environment: {
          // Every look at the clock takes a moment, so that what happens later has a later time.
          now: () => devices.now++,
          schedule: () => () => {},
          reportError: (error) => {
            throw error
          },
        },
      })
      devices.stores.push(store)
      return store
    },
    sync(...chosen) {
      const stores = chosen.length > 0 ? chosen : devices.stores
      for (let round = 0; round < 3; round++) {
        for (const from of stores) for (const to of stores) if (from !== to) send(from, to)
      }
    },
  }
  for (let i = 0; i < count; i++) devices.add()
  return devices
}

/** Sends all that one device has and another lacks. */
export function send(from: Store, to: Store): void {
  to.applyUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
}

export function message(messageSeq: number, more: Partial<Message> = {}): Message {
  return {
    channel: bob,
    messageSeq,
    fromUid: 'bob',
    timestamp: 1_600_000_000_000 + messageSeq * 1000,
    payload: { text: `message ${messageSeq}` },
    ...more,
  }
}

/** Messages `from` to `to`. */
export function messages(from: number, to: number, more: Partial<Message> = {}): Message[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => message(from + offset, more))
}

/** The entries of a document, of one register if it is named. */
export function lines(store: Store, register = ''): string[] {
  const all: string[] = []
  for (let root = 0; root < 16; root++)
    all.push(...store.doc.getArray<string>(`e${root.toString(16)}`).toArray())
  return all.filter((line) => line.includes(register))
}
