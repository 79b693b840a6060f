import { type Channel, createStore } from '@parley/core'
import { createRandom, type Random } from '@parley/core/testing'
import * as Y from 'yjs'
import { updateExtra } from '../../src/gateway/extras.js'
import { clearUnread, deleteConversation, setUnread } from '../../src/gateway/marks.js'
import type { Users } from '../../src/gateway/users.js'
import type { Envelope } from '../../src/gateway/wireMessages.js'
import { createLocalBusHub, createMemoryLog, type LogStore } from '../../src/index.js'
import { PollingClient } from '../support/pollingClient.js'
import { createDevice, type Device } from './device.js'
import type { StoreFaults } from './faultyStore.js'
import { type BusFaults, createLossyBus } from './lossyBus.js'
import { CHANNELS, createMessageServer } from './messages.js'
import { type SimulatedNode, startNode } from './node.js'
import { createTruth, type Truth } from './truth.js'
import { createVirtualTime, type VirtualTime } from './virtualTime.js'

/** All that takes part in a history, while it goes on. */
export interface World {
  readonly users: readonly string[]
  readonly nodes: SimulatedNode[]
  readonly devices: ReadonlyArray<Device & { readonly user: string }>
  readonly clients: ReadonlyArray<{ readonly user: string; readonly client: PollingClient }>
  readonly store: LogStore
  readonly truth: Truth
  readonly time: VirtualTime
  readonly random: Random
  /** What must never happen, and has. */
  readonly violations: readonly string[]
  /** Messages that were delivered, or are being delivered until they are. */
  readonly brought: readonly Envelope[]
  /** Does something at random. */
  step: () => void
  startNode: () => SimulatedNode
  /** Nothing goes wrong from now on, everybody connects and everything arrives. */
  settle: () => Promise<void>
}

/** Lines of the log that tell of what cannot be here: the rows are sound, and nobody throws. */
const NEVER_LOGGED =
  /quarantine|wait for something|could not be passed on|could not be dealt with|fell behind/

/** So long after the last fault everybody must have everything, in milliseconds. */
const SETTLE_MS = 4_000
const SETTLE_ROUNDS = 16

/** Creates the {@link World} of a seed. Restore its time afterwards. */
export function createWorld(seed: number): World {
  const random = createRandom(seed)
  const time = createVirtualTime()
  const truth = createTruth(createMemoryLog())
  const violations: string[] = []
  const violated = (what: string): void => void violations.push(what)
  const storeFaults: StoreFaults = {
    delayMs: random.pick([0, 4, 30, 400]),
    failure: random.pick([0, 0.02, 0.15]),
  }
  const busFaults: BusFaults = {
    delayMs: random.pick([0, 20, 200]),
    loss: random.pick([0, 0.3, 1]),
    repetition: random.pick([0, 0.3]),
  }
  const nodeCount = random.pick([1, 2, 3])
  const hub = createLocalBusHub()
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (_fields: object, message: string) => void (NEVER_LOGGED.test(message) && violated(message)),
    error: (fields: object, message: string) =>
      void (NEVER_LOGGED.test(message) && violated(`${message} ${JSON.stringify(fields)}`)),
  }
  const start = (): SimulatedNode =>
    startNode({
      store: truth.store,
      storeFaults,
      bus: nodeCount > 1 ? createLossyBus(hub.connect(), busFaults, random) : null,
      logger,
      random,
    })

  const users = random.chance(0.7) ? ['alice'] : ['alice', 'carol']
  const nodes = Array.from({ length: nodeCount }, start)
  const devices = users.flatMap((user) =>
    Array.from({ length: 2 + random.int(3) }, (_, n) => ({
      user,
      device: createDevice({ user, name: `${user}'s ${n}`, truth, random, violated }),
    })),
  )
  const clients = users.flatMap((user) => [0, 1].map(() => ({ user, client: new PollingClient(user) })))
  const messages = createMessageServer(users, random)
  const brought: Envelope[] = []
  /** Nobody edits: what goes astray then is not found because something follows. */
  const isQuiet = random.chance(0.25)
  const asking = new Set<PollingClient>()
  const underway = new Set<Promise<void>>()

  const upNode = (): SimulatedNode => random.pick(nodes)
  /** What may fail, and is not tried again. */
  const attempt = (work: () => Promise<unknown>): void => {
    const done = work().then(
      () => {},
      () => {},
    )
    underway.add(done)
    void done.finally(() => underway.delete(done))
  }
  const bring = (batch: Envelope[]): void => {
    brought.push(...batch)
    let delivered = false
    const trySoon = (): void => {
      if (delivered) return
      const node = upNode()
      attempt(() =>
        node.ingest.deliver(batch).then(() => {
          delivered = true
        }),
      )
      // An answer that does not come is no answer.
      setTimeout(trySoon, 300)
    }
    trySoon()
  }
  const edit = ({ store }: Device): void => {
    const channel = random.pick(CHANNELS)
    const conversation = store.conversation(channel)
    const act = random.pick<() => void>([
      () => conversation.markRead(),
      () => conversation.markUnread(),
      () => conversation.leaveUnread(random.int(3)),
      () => conversation.delete(),
      () => conversation.restore(),
      () => conversation.archive(),
      () => conversation.pin(),
      () => conversation.unpin(),
      () => conversation.mute(Date.now() + random.int(2_000)),
      () => conversation.setAttribute('colour', random.int(5)),
      () => conversation.browseTo(random.int(50)),
      () => conversation.draft.leave(),
      () => store.maintain(),
      ...Array.from({ length: 8 }, () => () => type(store, channel)),
    ])
    act()
  }
  const type = (store: Device['store'], channel: Channel): void => {
    const { draft } = store.conversation(channel)
    const text = draft.getSnapshot().composer?.text ?? ''
    const at = random.int(text.length + 1)
    const written = random.chance(0.7)
      ? text.slice(0, at) + random.pick(['a', 'b', 'cd', 'é', '😀']) + text.slice(at)
      : text.slice(0, at)
    if (!/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(written))
      draft.set(written)
  }
  const actByHttp = (user: string, by: Users): Promise<void> => {
    const channel = random.pick(CHANNELS)
    return by.withProjection(user, (projection) =>
      random.pick<() => Promise<void>>([
        () => clearUnread(projection, channel),
        () => setUnread(projection, channel, random.int(4), { marks: true }),
        () => deleteConversation(projection, channel),
        () =>
          updateExtra(projection, channel, {
            browseTo: random.int(50),
            keepMessageSeq: random.int(9),
            keepOffsetY: 0,
            draft: random.pick(['', `web ${random.int(9)}`]),
          }).then(() => {}),
      ])(),
    )
  }
  const ask = async (client: PollingClient, by: Users): Promise<void> => {
    asking.add(client)
    try {
      await client.poll(by)
    } finally {
      asking.delete(client)
    }
  }
  const restart = (): void => {
    const index = random.int(nodes.length)
    const old = nodes[index] as SimulatedNode
    const replace = (): void => {
      if (nodes[index] === old) nodes[index] = start()
    }
    const isKilled = random.chance(0.5)
    if (isKilled) old.kill()
    else attempt(() => old.stop().then(replace))
    // A node that is alone has the store to itself: the next one waits until it has ended.
    if (isKilled || nodeCount > 1) replace()
  }

  const step = (): void => {
    const { device, user } = random.pick(devices)
    const dice = isQuiet ? 45 + random.int(55) : random.int(100)
    if (dice < 45) for (let n = random.chance(0.2) ? 12 : 1; n > 0; n--) edit(device)
    else if (dice < 55) device.ask()
    else if (dice < 67) device.connect(upNode())
    else if (dice < 71) device.disconnect()
    else if (dice < 73) device.reopen()
    else if (dice < 83) bring(messages.next())
    else if (dice < 88) attempt(() => actByHttp(user, upNode().users))
    else if (dice < 94) {
      const { client } = random.pick(clients)
      const { users: asked } = upNode()
      // One question at a time: an answer that was overtaken would undo what a later one told.
      if (!asking.has(client)) attempt(() => ask(client, asked))
    } else if (dice < 98) upNode().rooms.tidy(user)
    else if (dice < 99) restart()
    else for (const one of devices) if (one.user === user) one.device.disconnect()
  }

  const settle = async (): Promise<void> => {
    Object.assign(storeFaults, { failure: 0, delayMs: Math.min(storeFaults.delayMs, 4) })
    Object.assign(busFaults, { loss: Math.min(busFaults.loss, 0.5) })
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      for (const { device } of devices) {
        device.connect(upNode())
        device.ask()
      }
      await time.advance(SETTLE_MS / SETTLE_ROUNDS)
    }
  }

  return {
    users,
    nodes,
    devices: devices.map(({ device, user }) => Object.assign(device, { user })),
    clients,
    store: truth.store,
    truth,
    time,
    random,
    violations,
    brought,
    step,
    startNode: start,
    settle,
  }
}

/** A document's state as users see it. */
export function exportOf(user: string, doc: Y.Doc): unknown {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  const store = createStore({ userId: user, doc: copy })
  const state = store.export()
  store.close()
  return state
}
