import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CLOSE_CODES } from '@parley/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { type LogFields, openLevelLog, silentLogger } from '../../src/index.js'
import {
  connectRaw,
  connectStock,
  type Running,
  startServer,
  syncMessage,
  until,
} from '../support/harness.js'
import { type BrokenDisk, canMount, fullDisk, limitedFiles, readOnlyFolder } from './support/brokenDisks.js'

/** Not enough to begin a file of LevelDB's. */
const LITTLE_BYTES = 256 * 1024
/** Enough to begin one, and less than its log holds by then: to open again it writes all of that anew. */
const SOME_BYTES = 1.5 * 1024 * 1024
const DISKS: Array<[what: string, create: () => Promise<BrokenDisk>]> = [
  ['a file-size limit', () => limitedFiles(LITTLE_BYTES)],
  ['a disk with a little room left', () => limitedFiles(SOME_BYTES)],
  ['a read-only folder', readOnlyFolder],
  // Where it cannot be had, the limit above is what is left of it.
  ...(canMount() ? [['a full disk', fullDisk] as [string, () => Promise<BrokenDisk>]] : []),
]

/** LevelDB goes on in the log file it has for 4 MiB; and it compresses what it can. */
const VALUE_CHARACTERS = 256 * 1024
/** Of these each room has so many before anything happens. */
const VALUES_BEFORE = 4
const MAX_VALUES = 64
const ROOMS = ['alice', 'bob', 'carol']

/** What was stored of a user, as the server said. */
class Acknowledged {
  readonly values = new Map<string, string[]>(ROOMS.map((room) => [room, []]))
  private number = 0

  /** Writes one more value into a room; returns the close code if it was not stored. */
  async write(running: Running, room: string): Promise<number | null> {
    const value = `${room} ${this.number++} ${randomBytes(VALUE_CHARACTERS / 2).toString('hex')}`
    const doc = new Y.Doc()
    doc.getArray('values').push([value])
    const client = await connectRaw(running.room(room), { protocols: ['parley.1'] })
    client.send(syncMessage(1, new Uint8Array([0, 0])))
    client.send(syncMessage(2, Y.encodeStateAsUpdate(doc)))
    client.send(112, 1)
    const stored = client.frame((frame) => frame[0] === 112).then(() => null)
    const code = await Promise.race([stored, client.closed.then((closed) => closed.code)])
    client.socket.terminate()
    if (code === null) this.values.get(room)?.push(value)
    return code
  }

  /** What is missing of a room, as a new client sees it. */
  async missing(running: Running, room: string): Promise<number> {
    const { doc, synced, provider } = connectStock(running, room)
    await synced
    const shown = new Set(doc.getArray('values').toArray())
    provider.destroy()
    return (this.values.get(room) ?? []).filter((value) => !shown.has(value)).length
  }
}

describe.each(DISKS)('%s', (_what, create) => {
  it('[F1] refuses updates for a while, loses none, and leaves what is there to be read', {
    timeout: 120_000,
  }, async () => {
    const disk = await create()
    const told: LogFields[] = []
    const error = (fields: LogFields): void => void told.push(fields)
    const start = async (): Promise<Running> =>
      startServer({
        store: await openLevelLog({ folder: disk.folder }),
        logger: { ...silentLogger, error, warn: error },
        // Documents are read from the disk each time.
        timing: { roomIdleMs: 1, readyFreshMs: 0 },
      })
    const running = await start()
    const acknowledged = new Acknowledged()
    for (let n = 0; n < VALUES_BEFORE; n++) {
      for (const room of ROOMS) expect(await acknowledged.write(running, room)).toBe(null)
    }

    await disk.harm()
    onTestFinished(disk.mend)
    let refused: number | null = null
    for (let n = 0; n < MAX_VALUES && refused === null; n++) {
      refused = await acknowledged.write(running, ROOMS[n % ROOMS.length] as string)
    }
    // The fault: the system says so, and the client is to try again.
    expect(refused).toBe(CLOSE_CODES.storeUnavailable)
    expect(JSON.stringify(told)).toMatch(disk.says)
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503)

    const waiting = connectStock(running, 'alice')
    await waiting.synced
    waiting.doc.getArray('values').push(['written while it was full'])
    for (let round = 0; round < 3; round++) {
      for (const room of ROOMS) {
        expect([room, await acknowledged.write(running, room)]).toEqual([room, CLOSE_CODES.storeUnavailable])
        expect([room, await acknowledged.missing(running, room)]).toEqual([room, 0])
      }
      await delay(20)
    }

    await disk.mend()
    await until(
      'a client that tries again gets through',
      async () => {
        const { doc, synced, provider } = connectStock(running, 'alice')
        await synced
        provider.destroy()
        return doc.getArray('values').toArray().includes('written while it was full')
      },
      30_000,
    )
    await until('it is ready again', async () => (await fetch(`${running.url}/readyz`)).status === 200)
    for (const room of ROOMS) expect(await acknowledged.write(running, room)).toBe(null)
    waiting.provider.destroy()
    await running.server.close()

    const again = await start()
    for (const room of ROOMS) expect([room, await acknowledged.missing(again, room)]).toEqual([room, 0])
  })
})
