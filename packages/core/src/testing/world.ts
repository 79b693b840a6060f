import * as Y from 'yjs'
import type { Channel } from '../conversation/channel.js'
import { createIntake, type Intake } from '../document/intake.js'
import { onUpdate } from '../document/updates.js'
import { createStore, type Store } from '../store/createStore.js'
import { createRandom, type Random } from './random.js'
import { allWritten, createTruth, entriesOf, type Truth, type Written } from './truth.js'

/** What the network and the machines of a history do to it. */
export interface WorldOptions {
  readonly seed: number
  /** Updates are lost, repeated and overtake each other; otherwise they are repeated and lost at the end only. */
  readonly lossy?: boolean
  /** Devices crash and lose what was not flushed. */
  readonly crash?: boolean
  /** One device may never come back. */
  readonly die?: boolean
  /** Clocks are wrong by up to ten days, and one is broken. */
  readonly skew?: boolean
}

/** One simulated device: a store, a disk that keeps what was flushed, and a connection. */
export interface Device {
  readonly name: string
  store: Store
  /** Updates in the order in which they were stored. */
  disk: Uint8Array[]
  /** How many of them a crash leaves. */
  flushed: number
  outbox: Uint8Array[]
  inbox: Uint8Array[]
  online: boolean
  readonly clockOffset: number
}

/** Several devices and a server, and what really happened. */
export interface World {
  readonly random: Random
  readonly options: WorldOptions
  readonly channels: readonly Channel[]
  /** The newest message of each channel, by its place in `channels`. */
  readonly lastSeqs: number[]
  /** The submissions that became messages, by the place of the channel and the number of the message. */
  readonly ownMessages: Map<string, string>
  readonly devices: Device[]
  readonly server: { readonly doc: Y.Doc; readonly intake: Intake }
  readonly truth: Truth
  /** Milliseconds since 1970, as an honest clock shows them. */
  now: number
  /** A character that was never typed before. */
  nextCharacter: () => string
  /** Runs a user's act and says where it was written; `null` if it wrote nothing. */
  act: (device: Device, action: () => void) => Written | null
  syncUp: (device: Device) => void
  syncDown: (device: Device) => void
  sendOne: (device: Device) => void
  receiveOne: (device: Device) => void
  crash: (device: Device) => void
  /** Looks again at what was taken for lost: an update that was held back or on its way may have brought it in. */
  findSurvivors: () => void
  /** Takes a device out for good. */
  kill: (device: Device) => void
}

/** Applied to a replica by the network, not by its user. */
const NETWORK = 'network'

/** The users of a world are one user: this one. */
export const USER_ID = 'me'

/** Creates a {@link World} of three to five devices. */
export function createWorld(options: WorldOptions): World {
  const random = createRandom(options.seed)
  const truth = createTruth()
  const errors: unknown[] = []
  let characters = 0
  let clientIds = random.int(1000) + 1

  const newDoc = (): Y.Doc => {
    const doc = new Y.Doc()
    // Yjs takes the id from the machine's randomness; here it must follow from the seed.
    clientIds += 1 + random.int(1000)
    doc.clientID = clientIds
    return doc
  }

  const serverDoc = newDoc()
  const server = { doc: serverDoc, intake: createIntake(serverDoc) }

  const attach = (device: Device): void => {
    onUpdate(
      device.store.doc,
      ({ update, origin }) => {
        device.disk.push(update)
        if (origin === NETWORK) return
        device.outbox.push(update)
        for (const { entry, client, clock } of entriesOf(update)) {
          truth.entries.push({ entry, client, clock, device: device.name, lost: false })
        }
      },
      (error) => errors.push(error),
    )
  }

  const newStore = (device: Omit<Device, 'store'>, highWater?: Store['highWater']): Store => {
    const doc = newDoc()
    for (const update of device.disk.slice(0, device.flushed)) Y.applyUpdate(doc, update, NETWORK)
    return createStore({
      userId: USER_ID,
      doc,
      deviceName: device.name,
      ...(highWater && { highWater }),
      environment: {
        now: () => world.now + device.clockOffset,
        random,
        schedule: () => () => {},
        reportError: (error) => {
          throw error
        },
      },
    })
  }

  const devices = Array.from({ length: 3 + random.int(3) }, (_, place): Device => {
    const offsets = options.skew ? [0, -864e6, 864e6, 2 ** 48, 30_000] : [0, 0, 0, -5000, 30_000]
    const clockOffset = random.pick(offsets)
    const bare = {
      name: `D${place}`,
      disk: [],
      flushed: 0,
      outbox: [],
      inbox: [],
      online: false,
      clockOffset,
    }
    return { ...bare, store: undefined as unknown as Store }
  })

  onUpdate(
    server.doc,
    ({ update, origin }) => {
      for (const device of devices) if (device.online && device !== origin) device.inbox.push(update)
    },
    (error) => errors.push(error),
  )

  const reached = (written: Written, vectors: ReadonlyArray<Map<number, number>>): boolean =>
    vectors.some((vector) => written.clock < (vector.get(written.client) ?? 0))

  const loseUnless = (device: Device, vectors: ReadonlyArray<Map<number, number>>): void => {
    for (const written of allWritten(truth)) {
      if (written.device === device.name && !reached(written, vectors)) written.lost = true
    }
  }

  const takeOne = (queue: Uint8Array[], deliver: (update: Uint8Array) => void): void => {
    if (queue.length === 0) return
    const place = options.lossy ? random.int(queue.length) : 0
    const update = queue[place] as Uint8Array
    if (!random.chance(0.2)) queue.splice(place, 1)
    if (!(options.lossy && random.chance(0.2))) deliver(update)
  }

  const world: World = {
    random,
    options,
    channels: [
      { channelId: 'bob', channelType: 1 },
      { channelId: 'a/b:c|d', channelType: 2 },
      { channelId: 'zoë 🦊', channelType: 2 },
    ],
    lastSeqs: [0, 0, 0],
    ownMessages: new Map(),
    devices,
    server,
    truth,
    now: 1_700_000_000_000,
    nextCharacter: () => String.fromCharCode(0x4e00 + (characters++ % 20_000)),
    act(device, action) {
      const { doc } = device.store
      const before = Y.getState(doc.store, doc.clientID)
      const deletes = device.disk.length
      action()
      if (errors.length > 0) throw errors[0]
      const after = Y.getState(doc.store, doc.clientID)
      if (after === before && device.disk.length === deletes) return null
      return { device: device.name, client: doc.clientID, clock: after - 1, lost: false }
    },
    syncUp(device) {
      server.intake.receive(Y.encodeStateAsUpdate(device.store.doc, Y.encodeStateVector(server.doc)), device)
      device.outbox = []
    },
    syncDown(device) {
      const { doc } = device.store
      device.store.applyUpdate(Y.encodeStateAsUpdate(server.doc, Y.encodeStateVector(doc)), NETWORK)
      device.inbox = []
      device.online = true
    },
    sendOne: (device) => takeOne(device.outbox, (update) => server.intake.receive(update, device)),
    receiveOne: (device) => takeOne(device.inbox, (update) => device.store.applyUpdate(update, NETWORK)),
    crash(device) {
      const { highWater } = device.store
      device.store.close()
      device.disk = device.disk.slice(0, device.flushed)
      const restored = newStore(device, highWater)
      const others = devices.filter((other) => other !== device).map(({ store }) => store.doc)
      loseUnless(device, [restored.doc, server.doc, ...others].map(vectorOf))
      device.store = restored
      device.outbox = []
      device.inbox = []
      device.online = false
      attach(device)
    },
    findSurvivors() {
      const vectors = [vectorOf(server.doc)]
      for (const written of allWritten(truth)) if (reached(written, vectors)) written.lost = false
    },
    kill(device) {
      devices.splice(devices.indexOf(device), 1)
      device.store.close()
      loseUnless(device, [server.doc, ...devices.map(({ store }) => store.doc)].map(vectorOf))
    },
  }
  for (const device of devices) {
    device.store = newStore(device)
    attach(device)
  }
  return world
}

function vectorOf(doc: Y.Doc): Map<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc))
}
