import * as Y from 'yjs'
import { digestDocument, isSameHash } from '../digest/documentDigest.js'
import { ACTIONS, type Action } from './actions.js'
import { checkInvariants, INVARIANTS, type Invariant } from './invariants.js'
import { createWorld, type Device, type World, type WorldOptions } from './world.js'

/** What a history is made of. */
export interface HistoryOptions extends WorldOptions {
  /** How many things happen; 220 by default. */
  readonly steps?: number
  readonly actions?: Readonly<Record<string, { readonly weight: number; readonly run: Action }>>
  readonly invariants?: Readonly<Record<string, Invariant>>
}

/** How a history went. */
export interface HistoryReport {
  readonly seed: number
  /** Empty if every invariant holds. */
  readonly problems: readonly string[]
  readonly world: World
}

/**
 * Lets several devices of one user act at random, apart and together, then brings them all together and checks what must
 * hold. The same options give the same history.
 *
 * @example
 * ```ts
 * import { runHistory } from '@parley/core/testing'
 *
 * runHistory({ seed: 1, lossy: true, crash: true }).problems // []
 * ```
 */
export function runHistory(options: HistoryOptions): HistoryReport {
  const { steps = 220, actions = ACTIONS, invariants = INVARIANTS } = options
  const world = createWorld(options)
  const drawn = Object.values(actions)
  const total = drawn.reduce((sum, { weight }) => sum + weight, 0)
  const draw = (): Action => {
    let place = world.random() * total
    for (const { weight, run } of drawn) {
      if (place < weight) return run
      place -= weight
    }
    return () => {}
  }
  const problems: string[] = []
  for (let step = 0; step < steps; step++) {
    world.now += 1 + world.random.int(800)
    // Begins early in some devices, and is then kept in step with all that follows.
    if (step % 16 === 0) world.devices[step % world.devices.length]?.store.digest.step(8)
    const device = world.random.pick(world.devices)
    const what = world.random()
    if (what < 0.62) draw()(world, device, device.store.conversation(world.random.pick(world.channels)))
    else if (what < 0.67) world.syncUp(device)
    else if (what < 0.72) world.syncDown(device)
    else if (what < 0.76) {
      world.syncUp(device)
      world.syncDown(device)
      problems.push(...compareDigests(world, device, step))
    } else if (what < 0.82) world.sendOne(device)
    else if (what < 0.89) world.receiveOne(device)
    else if (what < 0.94) device.flushed = device.disk.length
    else if (what < 0.96) device.online = false
    else if (what < 0.98 && options.crash) world.crash(device)
  }
  if (options.die && world.random.chance(0.5)) world.kill(world.random.pick(world.devices))
  settle(world)
  return { seed: options.seed, problems: [...problems, ...checkInvariants(world, invariants)], world }
}

/** A device that has exchanged all with the server must not be told that they differ. */
function compareDigests({ server }: World, { name, store }: Device, step: number): string[] {
  const ofServer = digestDocument(server.doc)
  const ofDevice = store.digest.step(Number.POSITIVE_INFINITY)
  // What arrived may have made the device write in turn, and the server may wait for what another device has.
  if (!ofDevice || !isSameHash(ofDevice.vector, ofServer.vector)) return []
  return isSameHash(ofDevice.state, ofServer.state) ? [] : [`a false alarm in ${name} at step ${step}`]
}

/** What a device writes because of what arrives is bounded: that many rounds are never needed. */
const MAX_ROUNDS = 20

function vectorText(doc: Y.Doc): string {
  return JSON.stringify([...Y.decodeStateVector(Y.encodeStateVector(doc))].sort())
}

/** Brings all devices together, until nobody has anything new to say: what arrives may make a device write in turn. */
export function settle(world: World): void {
  const docs = [world.server.doc, ...world.devices.map(({ store }) => store.doc)]
  for (let round = 0, before = ''; round < MAX_ROUNDS; round++) {
    for (const device of world.devices) {
      world.syncUp(device)
      world.syncDown(device)
    }
    const after = docs.map(vectorText).join()
    if (round > 2 && after === before) break
    before = after
  }
  world.findSurvivors()
}
