import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createReplica, type Replica } from './crash/replica.js'
import { DATA, newFolder, parley, type Serving } from './support/parley.js'
import { newShared } from './support/shared.js'

/** How soon devices must be the same again after one of their nodes died. */
const CONVERGENCE_MS = 2_000

/** Waits until replicas hold the same; fails the test if they never do. */
async function converged(replicas: readonly Replica[]): Promise<void> {
  const texts = (): Set<string> =>
    new Set(replicas.map(({ doc }) => JSON.stringify(doc.getArray('values').toArray().sort())))
  for (const end = Date.now() + 20_000; texts().size > 1; ) {
    if (Date.now() > end) throw new Error('the devices never showed the same')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What was acknowledged and is not there. */
function missing({ written, safe }: Replica, among: Replica): string[] {
  const there = new Set(among.doc.getArray('values').toArray())
  return written.slice(0, safe).filter((value) => !there.has(value))
}

/** Waits until more of what a device wrote was acknowledged. */
async function untilSafe(device: Replica): Promise<void> {
  const before = device.safe
  for (const end = Date.now() + 20_000; device.safe <= before; ) {
    if (Date.now() > end) throw new Error('nothing more was acknowledged')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('several servers with one database', { timeout: 120_000 }, () => {
  it('[R13] lose nothing when one of three is killed, and its devices have everything as soon as they are at another', async () => {
    const { start } = await newShared()
    const nodes = (await Promise.all([start(), start(), start()])) as [Serving, Serving, Serving]
    const devices = nodes.map((_, n) => createReplica(`device ${n}`, n === 1 ? 'barrier' : 'acknowledgement'))
    const [orphan, ...others] = devices as [Replica, Replica, Replica]
    await Promise.all(devices.map((device, n) => device.connect((nodes[n] as Serving).room('alice'), true)))
    await Promise.all(devices.map(untilSafe))
    await nodes[0].stop('SIGKILL')
    orphan.disconnect()
    // The others write on, and then everybody stops to compare.
    await Promise.all(others.map(untilSafe))
    for (const device of others) device.disconnect()

    const begin = performance.now()
    await Promise.all(
      devices.map((device, n) => device.connect((nodes[n === 0 ? 1 : n] as Serving).room('alice'), false)),
    )
    await converged(devices)
    const took = performance.now() - begin
    expect(took).toBeLessThan(CONVERGENCE_MS)
    for (const device of devices) expect(missing(device, others[0] as Replica)).toEqual([])
    expect(orphan.doc.getArray('values').length).toBe(
      devices.reduce((sum, { written }) => sum + written.length, 0),
    )
    for (const device of devices) device.disconnect()
  })

  it('[R13] [L31] serve a user on while a server of the same user is frozen, and lose nothing when it goes on', async () => {
    const { start } = await newShared()
    const [frozen, other] = (await Promise.all([start(), start()])) as [Serving, Serving]
    const [here, there] = [
      createReplica('here', 'acknowledgement'),
      createReplica('there', 'acknowledgement'),
    ]
    await here.connect(frozen.room('alice'), true)
    await there.connect(other.room('alice'), true)
    let frozenInFlight = 0
    for (let round = 0; round < 15; round++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
      frozen.child.kill('SIGSTOP')
      if (here.safe < here.written.length) frozenInFlight++
      // Whatever the frozen one was about to do, it holds nothing that the other waits for.
      await untilSafe(there)
      frozen.child.kill('SIGCONT')
      await untilSafe(here)
    }
    here.disconnect()
    there.disconnect()
    await here.connect(other.room('alice'), false)
    await there.connect(frozen.room('alice'), false)
    await converged([here, there])
    for (const device of [here, there]) expect(missing(device, here)).toEqual([])
    // Or the test would have shown nothing.
    expect(frozenInFlight).toBeGreaterThan(5)
    here.disconnect()
    there.disconnect()
  })

  it('[C3] are worked beside by the commands, which the devices hear of', async () => {
    const { env, start } = await newShared()
    const file = join(DATA, 'conversation-sync.wukongim.json')
    const uid = 'hunkriyaz'
    const alone = await parley(['import', file, '--user', uid], { env })
    expect([alone.code, alone.err]).toEqual([0, expect.stringMatching(/^Imported for /)])
    const before = await parley(['export', '--user', uid], { env })
    expect(before.code).toBe(0)
    const serving = await start()
    const device = createReplica('device', 'acknowledgement')
    await device.connect(serving.room('bob'), false)
    const imported = await parley(['import', file, '--user', 'bob'], { env })
    expect(imported.code).toBe(0)
    for (const end = Date.now() + 20_000; device.doc.store.clients.size === 0; ) {
      if (Date.now() > end) throw new Error('the device never heard of the import')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    device.disconnect()
    const inspected = await parley(['inspect', '--user', 'bob'], { env })
    expect(JSON.parse(inspected.out)).toMatchObject({ uid: 'bob', quarantined: [] })
    const nobody = await parley(['inspect', '--user', 'nobody'], { env })
    expect([nobody.code, nobody.err]).toEqual([
      1,
      expect.stringMatching(/^parley: Nothing is stored of nobody in PostgreSQL at 127\.0\.0\.1:\d+\/\w+\n$/),
    ])
    expect((await parley(['export', '--user', uid], { env })).out).toBe(before.out)
  })

  it('[C3] are backed up, looked through, and made forget somebody, while they run', async () => {
    const { env, start } = await newShared()
    await start()
    const file = join(DATA, 'conversation-sync.wukongim.json')
    for (const uid of ['alice', 'bob']) {
      expect((await parley(['import', file, '--user', uid], { env })).code).toBe(0)
    }
    const backup = join(await newFolder(), 'backup')
    expect((await parley(['backup', backup], { env })).err).toMatch(/: 2 users, /)
    expect(JSON.parse((await parley(['verify'], { env })).out)).toMatchObject({ sound: true, rooms: 2 })
    expect((await parley(['forget', '--user', 'bob'], { env })).err).toBe('Forgot bob.\n')
    expect((await parley(['inspect', '--user', 'bob'], { env })).code).toBe(1)
    // Into the other kind of store, where both are again.
    const data = await newFolder()
    expect((await parley(['restore', backup, '--data', data])).code).toBe(0)
    const [there, here] = await Promise.all([
      parley(['export', '--user', 'alice', '--data', data]),
      parley(['export', '--user', 'alice'], { env }),
    ])
    expect(there.out).toBe(here.out)
    expect((await parley(['inspect', '--user', 'bob', '--data', data])).code).toBe(0)
  })

  it('[C6] say why they do not start, without what is secret', async () => {
    const { env } = await newShared()
    const wrong: Array<[changed: Record<string, string>, names: RegExp]> = [
      [{ PARLEY_DATABASE_URL: 'db.example.org' }, /like postgres:\/\//],
      [
        { PARLEY_DATABASE_URL: 'postgres://parley:secret@127.0.0.1:1/parley' },
        /cannot be reached: ECONNREFUSED/,
      ],
      [{ PARLEY_REDIS_URL: 'http://:secret@127.0.0.1' }, /like redis:\/\//],
    ]
    for (const [changed, names] of wrong) {
      const { code, err } = await parley(['serve', '--port', '0'], { env: { ...env, ...changed } })
      expect([code, err]).toEqual([1, expect.stringMatching(names)])
      expect(err).not.toContain('secret')
    }
  })
})
