import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Channel, channelKey, createStore, type Store } from '@parley/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { updateExtra } from '../src/gateway/extras.js'
import { clearUnread, deleteConversation, setUnread } from '../src/gateway/marks.js'
import { createUsers, type Users } from '../src/gateway/users.js'
import {
  createMemoryLog,
  createRooms,
  defaultLimits,
  defaultTiming,
  type LogStore,
  type Rooms,
  restoreBackup,
  silentLogger,
  writeBackup,
} from '../src/index.js'
import { PollingClient } from './support/pollingClient.js'

const UID = 'alice'
const CHANNELS: readonly Channel[] = [
  { channelId: 'bob', channelType: 1 },
  { channelId: 'a:b|c:1:2', channelType: 1 },
  { channelId: 'group', channelType: 2 },
]

type Action =
  | {
      readonly kind:
        | 'receive'
        | 'read'
        | 'mark'
        | 'delete'
        | 'restore'
        | 'archive'
        | 'pin'
        | 'draft'
        | 'erase'
      readonly at: number
    }
  | { readonly kind: 'httpClear' | 'httpUnread' | 'httpDelete' | 'httpExtra'; readonly at: number }
  | { readonly kind: 'poll'; readonly at: number }
  | { readonly kind: 'mute' | 'later' | 'restart' | 'compact' | 'lose'; readonly at: number }
  | { readonly kind: 'backUp' | 'goBack'; readonly at: number }

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom(
    ...([
      'receive',
      'receive',
      'read',
      'mark',
      'delete',
      'restore',
      'archive',
      'pin',
      'draft',
      'erase',
    ] as const),
    ...(['httpClear', 'httpUnread', 'httpDelete', 'httpExtra', 'poll', 'poll', 'poll', 'poll'] as const),
    ...(['mute', 'later', 'restart', 'compact', 'lose', 'backUp', 'goBack'] as const),
  ),
  at: fc.nat(5),
}) as fc.Arbitrary<Action>

class World {
  log: LogStore = createMemoryLog()
  private backup: string | null = null
  private readonly folders: string[] = []
  private now = Date.now()
  private rooms: Rooms
  users: Users
  private readonly seqs = new Map<Channel, number>()
  private device: Store

  constructor() {
    this.device = this.newDevice()
    this.rooms = this.open()
    this.users = this.usersOf(this.rooms)
  }

  private newDevice(): Store {
    return createStore({ userId: UID, environment: { now: () => this.now } })
  }

  private open(): Rooms {
    return createRooms({
      store: this.log,
      limits: defaultLimits,
      timing: defaultTiming,
      logger: silentLogger,
    })
  }

  private usersOf(rooms: Rooms): Users {
    return createUsers({ rooms, log: this.log, logger: silentLogger, now: () => this.now })
  }

  private async act(actions: (store: Store) => void): Promise<void> {
    const { room, document, release } = await this.rooms.acquire(UID)
    Y.applyUpdate(this.device.doc, document.encodeState())
    actions(this.device)
    await room.submit(Y.encodeStateAsUpdate(this.device.doc, document.encodeStateVector()))
    release()
  }

  async do({ kind, at }: Action, clients: readonly PollingClient[]): Promise<void> {
    const channel = CHANNELS[at % CHANNELS.length] as Channel
    const seq = (this.seqs.get(channel) ?? 0) + 1
    const of = (store: Store) => store.conversation(channel)
    this.now += 1000
    if (kind === 'receive') {
      this.seqs.set(channel, seq)
      const fromUid = at === 5 ? UID : 'bob'
      await this.act((store) => store.receive({ channel, messageSeq: seq, fromUid, timestamp: this.now }))
    } else if (kind === 'read') await this.act((store) => of(store).markRead())
    else if (kind === 'mark') await this.act((store) => of(store).markUnread())
    else if (kind === 'delete') await this.act((store) => of(store).delete())
    else if (kind === 'restore') await this.act((store) => of(store).restore())
    else if (kind === 'archive')
      await this.act((store) => (at > 2 ? of(store).archive() : of(store).unarchive()))
    else if (kind === 'pin') await this.act((store) => (at > 2 ? of(store).pin() : of(store).unpin()))
    else if (kind === 'mute') await this.act((store) => of(store).mute(this.now + at * 5000))
    else if (kind === 'draft') await this.act((store) => of(store).draft.set(`draft ${this.now}`))
    else if (kind === 'erase') await this.act((store) => of(store).draft.set(''))
    else if (kind === 'later') this.now += at * 4000
    else if (kind === 'poll') await clients[at % clients.length]?.poll(this.users)
    else if (kind === 'httpClear') await this.users.withProjection(UID, (user) => clearUnread(user, channel))
    else if (kind === 'httpUnread')
      await this.users.withProjection(UID, (user) => setUnread(user, channel, at, { marks: true }))
    else if (kind === 'httpDelete')
      await this.users.withProjection(UID, (user) => deleteConversation(user, channel))
    else if (kind === 'httpExtra') {
      const update = { browseTo: at, keepMessageSeq: at, keepOffsetY: 0, draft: at > 3 ? '' : `web ${at}` }
      await this.users.withProjection(UID, (user) => updateExtra(user, channel, update))
    } else await this.restart(kind, at)
  }

  private async restart(kind: string, at: number): Promise<void> {
    if (kind === 'backUp') {
      const folder = await mkdtemp(join(tmpdir(), 'parley-polling-'))
      this.folders.push(folder)
      this.backup = folder
      await writeBackup({ store: this.log, path: folder, now: this.now })
      return
    }
    if (kind === 'compact') {
      const { room, release } = await this.rooms.acquire(UID)
      // Enough rows that the room is compacted when it leaves memory, with whatever index it has then.
      for (let n = 0; n < 50; n++) await room.tick()
      release()
    }
    await this.rooms.close()
    if (kind === 'lose') {
      const { version, snapshot, rows } = await this.log.load(UID)
      const all = [...(snapshot ? [snapshot] : []), ...rows].map(({ update }) => update)
      if (all.length > 0) await this.log.compact(UID, { through: version, snapshot: Y.mergeUpdates(all) })
    }
    if (kind === 'goBack' && this.backup) {
      this.log = createMemoryLog()
      await restoreBackup({ store: this.log, path: this.backup, now: this.now })
      // With the device that had it, what came later may be lost for good.
      if (at > 2) this.device = this.newDevice()
    }
    this.rooms = this.open()
    this.users = this.usersOf(this.rooms)
  }

  async close(): Promise<void> {
    await this.rooms.close()
    await Promise.all(this.folders.map((folder) => rm(folder, { recursive: true })))
  }
}

/** A user with one message, whose document is in memory, and a device that writes beside the room. */
async function startBehind() {
  const log = createMemoryLog()
  const rooms = createRooms({
    store: log,
    limits: defaultLimits,
    timing: defaultTiming,
    logger: silentLogger,
  })
  const users = createUsers({ rooms, log, logger: silentLogger })
  const channel: Channel = { channelId: 'bob', channelType: 1 }
  const device = createStore({ userId: UID })
  const write = (actions: (store: Store) => void): Uint8Array => {
    const before = Y.encodeStateVector(device.doc)
    actions(device)
    return Y.encodeStateAsUpdate(device.doc, before)
  }
  await log.append(
    UID,
    write((store) => store.receive({ channel, messageSeq: 1, fromUid: 'bob', timestamp: 1000 })),
  )
  const { release } = await rooms.acquire(UID)
  release()
  return { log, rooms, users, channel, write }
}

describe('clients that poll', () => {
  it('[G1] property "as from the beginning": end with what one sees that begins anew, whatever happened between, restored backups included', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const world = new World()
        const clients = [new PollingClient(UID), new PollingClient(UID), new PollingClient(UID)]
        for (const one of actions) await world.do(one, clients)
        const fresh = new PollingClient(UID)
        await fresh.poll(world.users)
        for (const client of clients) {
          await client.poll(world.users)
          expect(await client.seen(world.users)).toEqual(await fresh.seen(world.users))
          // Who began anew is told once of what was deleted before.
          await client.poll(world.users)
          expect(await client.poll(world.users)).toBe(0)
          expect(await client.seen(world.users)).toEqual(await fresh.seen(world.users))
        }
        await world.close()
      }),
      { numRuns: Number(process.env.POLLING_RUNS ?? 60) },
    )
  })

  it('[B4] are told everything anew after a restore, whatever versions they have, and again after a second one', async () => {
    const world = new World()
    const [early, late, lost] = [new PollingClient(UID), new PollingClient(UID), new PollingClient(UID)]
    await world.do({ kind: 'receive', at: 0 }, [])
    await world.do({ kind: 'receive', at: 1 }, [])
    await early.poll(world.users)
    await world.do({ kind: 'backUp', at: 0 }, [])
    for (const back of [3, 0, 3]) {
      await world.do({ kind: 'pin', at: 3 }, [])
      await world.do({ kind: 'receive', at: 2 }, [])
      await late.poll(world.users)
      expect(late.items.get('1:bob')).toHaveProperty('stick')
      await world.do({ kind: 'goBack', at: back }, [])
      await lost.poll(world.users)
      for (const client of [early, late, lost]) {
        await client.poll(world.users)
        const fresh = new PollingClient(UID)
        await fresh.poll(world.users)
        expect(await client.seen(world.users)).toEqual(await fresh.seen(world.users))
        expect(await client.poll(world.users)).toBe(0)
      }
      expect(late.items.get('1:bob')).not.toHaveProperty('stick')
    }
    await world.close()
  })

  it('[G2] are told little of a small change, also after a restart and after the log was compacted', async () => {
    const world = new World()
    const client = new PollingClient(UID)
    for (let n = 0; n < 6; n++) await world.do({ kind: 'receive', at: n }, [])
    await client.poll(world.users)
    for (const kind of ['restart', 'compact'] as const) {
      await world.do({ kind, at: 0 }, [])
      expect(await client.poll(world.users)).toBe(0)
      await world.do({ kind: 'receive', at: 0 }, [])
      expect(await client.poll(world.users)).toBe(1)
    }
    await world.close()
  })

  it('[G1] are told nothing that is older than its version, though rows come while the index is read', async () => {
    const { log, rooms, users, channel, write } = await startBehind()
    const { read } = log.values
    vi.spyOn(log.values, 'read').mockImplementationOnce(async (...call) => {
      // By another node, which has not told this one yet.
      await log.append(
        UID,
        write((store) => store.receive({ channel, messageSeq: 2, fromUid: 'bob', timestamp: 2000 })),
      )
      return read(...call)
    })
    await users.withProjection(UID, async ({ index, conversation }) => {
      expect([index.head, conversation(channel).lastMessage?.messageSeq]).toEqual([2, 2])
    })
    await rooms.close()
  })

  it('[G3] learn that something changed back while the index was read, for another node may have told them of the change', async () => {
    const { log, rooms, users, channel, write } = await startBehind()
    const { room, release } = await rooms.acquire(UID)
    const { load } = log
    vi.spyOn(log, 'load').mockImplementationOnce(async (...call) => {
      const loaded = await load(...call)
      for (const act of ['pin', 'unpin'] as const) {
        const update = write((store) => store.conversation(channel)[act]())
        room.receive({ version: await log.append(UID, update), update })
      }
      return loaded
    })
    await users.withProjection(UID, async ({ index }) => {
      expect([index.head, index.get(channelKey(channel))?.version]).toEqual([3, 3])
    })
    release()
    await rooms.close()
  })

  it('[G3] learn that something changed back, though the server was restarted in between', async () => {
    const world = new World()
    const client = new PollingClient(UID)
    const bob = { at: 0 }
    await world.do({ kind: 'receive', ...bob }, [])
    await world.do({ kind: 'receive', at: 2 }, [])
    await client.poll(world.users)
    await world.do({ kind: 'compact', ...bob }, [])
    await world.do({ kind: 'pin', at: 3 }, [])
    await client.poll(world.users)
    expect(client.items.get('1:bob')).toHaveProperty('stick')
    await world.do({ kind: 'pin', at: 0 }, [])
    await world.do({ kind: 'restart', ...bob }, [])
    await client.poll(world.users)
    expect(client.items.get('1:bob')).not.toHaveProperty('stick')
    await world.close()
  })
})
