import { createStore, type Message } from '@parley/core'
import { readMessage } from '@parley/wukong'
import { expect } from 'vitest'
import * as Y from 'yjs'
import { createRecents } from '../../src/gateway/recents.js'
import { silentLogger } from '../../src/index.js'
import { loadRoom } from '../../src/room/loadRoom.js'
import { PollingClient } from '../support/pollingClient.js'
import { exportOf, type World } from './world.js'

/** Demands of a history that has settled what must hold then. */
export async function demandInvariants(world: World): Promise<void> {
  expect(world.violations).toEqual([])
  for (const user of world.users) {
    await demandConvergence(world, user)
    await demandMessages(world, user)
    await demandVersions(world, user)
  }
  await demandEmptiness(world)
  expect(world.violations).toEqual([])
}

/** Lets time pass until work is done that waits for timers. */
async function within<Result>(world: World, work: Promise<Result>): Promise<Result> {
  let done = false
  const settled = work.finally(() => {
    done = true
  })
  settled.catch(() => {})
  for (let n = 0; n < 100 && !done; n++) await world.time.advance(20)
  expect(done, 'it comes to an end').toBe(true)
  return settled
}

async function demandConvergence(
  { truth, store, devices, nodes, ...world }: World,
  user: string,
): Promise<void> {
  const loaded = await loadRoom(store, user)
  expect(loaded.waiting).toEqual([])
  expect(loaded.quarantined).toEqual([])
  const stored = Y.snapshot(loaded.doc)
  const isStored = (doc: Y.Doc): boolean => Y.equalSnapshots(Y.snapshot(doc), stored)
  expect(isStored(truth.doc(user)), 'what was appended is stored').toBe(true)
  for (const device of devices) {
    if (device.user !== user) continue
    expect(device.isSettled, 'a device has heard that all is durable').toBe(true)
    expect(isStored(device.store.doc), 'a device has what is stored').toBe(true)
    expect(exportOf(user, device.store.doc)).toEqual(exportOf(user, loaded.doc))
  }
  for (const node of nodes) {
    const whole = { truth, store, devices, nodes, ...world }
    const { document, release } = await within(whole, node.rooms.acquire(user))
    expect(isStored(document.doc), 'a node has what is stored').toBe(true)
    release()
  }
}

/** Received as a whole, all that was brought says nothing new; and the newest of it are the recents. */
async function demandMessages({ truth, store, brought }: World, user: string): Promise<void> {
  const messages = brought.flatMap(({ message, recipients }): Message[] => {
    if (!recipients?.includes(user)) return []
    const read = readMessage(message, { me: user })
    return typeof read === 'string' ? [] : [read]
  })
  const before = exportOf(user, truth.doc(user))
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(truth.doc(user)))
  const all = createStore({ userId: user, doc: copy })
  all.receive(messages)
  expect(all.export(), 'all that was brought is there').toEqual(before)
  const keys = [...new Set(messages.map(({ channel }) => `${channel.channelType}:${channel.channelId}`))]
  const kept = await createRecents(store, silentLogger).read(user, keys, 10)
  for (const key of keys) {
    const seqs = messages
      .filter(({ channel }) => `${channel.channelType}:${channel.channelId}` === key)
      .map(({ messageSeq }) => messageSeq)
    const newest = [...new Set(seqs)].sort((a, b) => b - a).slice(0, 10)
    expect(kept.get(key)?.map(({ messageSeq }) => messageSeq)).toEqual(newest)
  }
  all.close()
}

/** Whoever polled all the while sees what one sees who begins anew, on any node and on one that has just started. */
async function demandVersions(world: World, user: string): Promise<void> {
  const fresh = new PollingClient(user)
  const started = world.startNode()
  await within(world, fresh.poll(started.users))
  const seen = await within(world, fresh.seen(started.users))
  for (const { client, user: whose } of world.clients) {
    if (whose !== user) continue
    for (const node of world.nodes) await within(world, client.poll(node.users))
    expect(await within(world, client.seen(started.users)), 'a client that polled').toEqual(seen)
  }
  for (const node of world.nodes) {
    const anew = new PollingClient(user)
    await within(world, anew.poll(node.users))
    expect(await within(world, anew.seen(started.users)), 'a client that begins anew').toEqual(seen)
  }
  await within(world, started.rooms.close())
}

async function demandEmptiness(world: World): Promise<void> {
  for (const device of world.devices) device.disconnect()
  await world.time.advance(3_000)
  for (const { rooms } of world.nodes) {
    expect(rooms.all().map(({ name }) => name)).toEqual([])
    expect(rooms.documents.count).toBe(0)
    expect(rooms.documents.bytes).toBe(0)
    await within(world, rooms.close())
  }
}
