import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import { connectStock, type StockClient, until } from './support/harness.js'
import { startNodes, storedValues, type TestNode, valuesOf } from './support/nodes.js'

const UID = 'alice'

/** A device of the same user at each node. */
async function connectDevices(nodes: readonly TestNode[]): Promise<StockClient[]> {
  const devices = nodes.map((node) => connectStock(node, UID))
  await Promise.all(devices.map(({ synced }) => synced))
  return devices
}

/** Devices that all have what any of them wrote; returns how long that took, in milliseconds. */
async function convergence(docs: readonly Y.Doc[], expected: readonly string[]): Promise<number> {
  const start = performance.now()
  const wanted = JSON.stringify([...expected].sort())
  await until(
    'all devices have what any wrote',
    () => docs.every((doc) => JSON.stringify(valuesOf(doc)) === wanted),
    15_000,
  )
  return performance.now() - start
}

/** Lets each device write values of its own; returns all of them. */
function write(devices: readonly StockClient[], label: string, count = 5): string[] {
  return devices.flatMap(({ doc }, n) =>
    Array.from({ length: count }, (_, m) => {
      const value = `${label}.${n}.${m}`
      doc.getArray('values').push([value])
      return value
    }),
  )
}

describe('nodes that share PostgreSQL and Redis', { timeout: 30_000 }, () => {
  it('[R13] show the devices of a user the same, whichever node each is at', async () => {
    const { nodes } = await startNodes({ count: 3, pollMs: 60_000 })
    const devices = await connectDevices([...nodes, ...nodes])
    const values: string[] = []
    for (let round = 0; round < 5; round++) values.push(...write(devices, `round ${round}`))
    // Nobody looks into the store in this time: they were told.
    await convergence(
      devices.map(({ doc }) => doc),
      values,
    )
    const late = connectStock(nodes[1] as TestNode, UID)
    await late.synced
    expect(valuesOf(late.doc)).toEqual([...values].sort())
  })

  it('[R13] converge without Redis, and with it again', async () => {
    const { nodes } = await startNodes({ count: 3 })
    const devices = await connectDevices(nodes)
    const docs = devices.map(({ doc }) => doc)
    const values = write(devices, 'before')
    await convergence(docs, values)
    await Promise.all(nodes.map(({ redis }) => redis.cut()))
    values.push(...write(devices, 'without'))
    await convergence(docs, values)
    await Promise.all(nodes.map(({ redis }) => redis.restore()))
    values.push(...write(devices, 'after'))
    await convergence(docs, values)
  })

  it('[R13] converge where one node is cut off from Redis, and where it hangs or lags', async () => {
    const { nodes } = await startNodes({ count: 3 })
    const devices = await connectDevices(nodes)
    const docs = devices.map(({ doc }) => doc)
    const [, cutOff] = nodes as [TestNode, TestNode]
    const values: string[] = []
    for (const [label, block] of [
      ['cut', () => cutOff.redis.cut()],
      ['hanging', async () => cutOff.redis.hang()],
      ['lagging', async () => cutOff.redis.delay(300)],
    ] as const) {
      await block()
      values.push(...write(devices, label))
      await convergence(docs, values)
      await cutOff.redis.restore()
    }
  })

  it('[R13] find out what they were not told of, also if it is the last of all', async () => {
    const { nodes } = await startNodes({ count: 2 })
    const devices = await connectDevices(nodes)
    const [writing, reading] = devices as [StockClient, StockClient]
    const [from, to] = nodes as [TestNode, TestNode]
    const values = write([writing], 'told')
    await convergence([reading.doc], values)
    await Promise.all([from.redis.cut(), to.redis.cut()])
    // One update, and nothing after it that would show the gap.
    values.push(...write([writing], 'last', 1))
    await convergence([reading.doc], values)
  })

  it('[R13] [L32] lose nothing and converge when PostgreSQL ends their connections under load', async () => {
    const { nodes, schema } = await startNodes({ count: 3 })
    const devices = await connectDevices(nodes)
    const values: string[] = []
    for (let round = 0; round < 6; round++) {
      values.push(...write(devices, `round ${round}`))
      await schema.terminate()
      values.push(...write(devices, `round ${round} after`))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await convergence(
      devices.map(({ doc }) => doc),
      values,
    )
  })

  it('[R13] [L33] refuse what they cannot store while PostgreSQL hangs, and have it all afterwards', async () => {
    const { nodes } = await startNodes({ count: 2, timing: { connectMs: 300, answerMs: 300 } })
    const devices = await connectDevices(nodes)
    const docs = devices.map(({ doc }) => doc)
    const [hanging, other] = nodes as [TestNode, TestNode]
    const values = write(devices, 'before')
    await convergence(docs, values)
    hanging.database.hang()
    values.push(...write(devices, 'meanwhile'))
    const [atHanging] = devices as [StockClient]
    await until('the device is told that it is not stored', () =>
      atHanging.closes.some(({ code }) => code === 4503),
    )
    // The node says itself that it is of no use now, and the other one serves on.
    expect((await fetch(`${hanging.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${other.url}/readyz`)).status).toBe(200)
    await hanging.database.restore()
    await convergence(docs, values)
  })

  it('[R13] [L32] let nobody see what is not stored while PostgreSQL is away', async () => {
    const { nodes, schema } = await startNodes({ count: 2, timing: { connectMs: 200 } })
    const devices = await connectDevices(nodes)
    const docs = devices.map(({ doc }) => doc)
    const [writing, reading] = devices as [StockClient, StockClient]
    const values = write([writing], 'before')
    await convergence(docs, values)
    await Promise.all(nodes.map(({ database }) => database.cut()))
    const refused = write([writing], 'meanwhile')
    await until('the device is told that it is not stored', () =>
      writing.closes.some(({ code }) => code === 4503),
    )
    expect(valuesOf(reading.doc)).toEqual([...values].sort())
    expect(await storedValues(schema, UID)).toEqual(new Set(values))
    await Promise.all(nodes.map(({ database }) => database.restore()))
    await convergence(docs, [...values, ...refused])
  })
})
