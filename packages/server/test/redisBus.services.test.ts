import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { encodeBusMessage } from '../src/bus/busCodec.js'
import { listen } from '../src/bus/listen.js'
import { type Bus, createRedisBus } from '../src/index.js'
import { runBusTests } from '../src/testing.js'
import { openProxy, type ServiceProxy } from './support/proxy.js'
import { serviceUrl } from './support/services.js'

runBusTests('Redis', {
  open: async () => {
    const options = { url: serviceUrl('PARLEY_TEST_REDIS_URL'), prefix: randomUUID() }
    return async () => createRedisBus(options)
  },
})

/** Two nodes, one of which gets to Redis by way of a proxy. */
async function openNodes(
  options: { heartbeatMs?: number } = {},
): Promise<{ node: Bus; behind: Bus; proxy: ServiceProxy; prefix: string }> {
  const url = serviceUrl('PARLEY_TEST_REDIS_URL')
  const prefix = randomUUID()
  const proxy = await openProxy(url)
  const node = createRedisBus({ url, prefix })
  const behind = createRedisBus({ url: proxy.url, prefix, ...options })
  onTestFinished(async () => {
    await Promise.all([node.close(), behind.close()])
  })
  return { node, behind, proxy, prefix }
}

describe('bus over Redis', () => {
  it('[B6] takes no address that is none', () => {
    for (const url of ['', '127.0.0.1', 'http://127.0.0.1', 'redis:', 'redis:///']) {
      expect(() => createRedisBus({ url, prefix: 'a' })).toThrow(/redis:\/\/127\.0\.0\.1:6379/)
    }
  })

  it('[B7] is silent while Redis is away, and hears and is heard again when it is back', async () => {
    const { node, behind, proxy } = await openNodes()
    const [near, far] = [listen(node, 'alice'), listen(behind, 'alice')]
    await Promise.all([near.isHeard(behind), far.isHeard(node)])
    await proxy.cut()
    behind.publish('alice', { type: 'row', version: 1000, update: null })
    node.publish('alice', { type: 'row', version: 1000, update: null })
    const meanwhile = listen(behind, 'bob')
    far.stop()
    await proxy.restore()
    await meanwhile.isHeard(node)
    await near.isHeard(behind)
    // What was said meanwhile is not said late, and what was no longer wanted is not subscribed to again.
    expect([...near.messages, ...far.messages]).toEqual([])
  })

  it('[B7] notices a Redis that hangs, and connects anew', async () => {
    const { node, behind, proxy } = await openNodes({ heartbeatMs: 50 })
    const far = listen(behind, 'alice')
    await far.isHeard(node)
    const before = proxy.connections
    proxy.hang()
    await far.until(() => proxy.connections >= before + 2)
    await proxy.restore()
    await far.isHeard(node)
  })

  it('[B7] keeps little for a Redis that does not keep up', async () => {
    const { node, behind, proxy } = await openNodes({ heartbeatMs: 60_000 })
    const near = listen(node, 'alice')
    await near.isHeard(behind)
    proxy.hang()
    const update = new Uint8Array(50_000)
    const published = 1000
    for (let version = 1; version <= published; version++)
      behind.publish('alice', { type: 'row', version, update })
    await proxy.restore()
    await near.until(() => near.messages.length > 0)
    await near.isHeard(behind)
    const last = listen(node, 'bob')
    await last.isHeard(behind)
    // 8 MiB of the 50 MB, and the message that went beyond.
    expect(near.messages.length).toBeLessThan(published / 5)
    expect(near.messages.length).toBeGreaterThan(100)
  })

  it('[B7] carries late what Redis brings late', async () => {
    const { node, behind, proxy } = await openNodes()
    const far = listen(behind, 'alice')
    await far.isHeard(node)
    proxy.delay(100)
    for (let version = 1; version <= 5; version++)
      node.publish('alice', { type: 'row', version, update: null })
    await far.until(() => far.messages.length === 5)
    expect(far.messages.map((message) => message.type === 'row' && message.version)).toEqual([1, 2, 3, 4, 5])
  })

  it('[B8] ignores what it does not understand', async () => {
    const { node, behind, prefix } = await openNodes()
    const far = listen(behind, 'alice')
    await far.isHeard(node)
    const redis = new Redis(serviceUrl('PARLEY_TEST_REDIS_URL'))
    onTestFinished(() => redis.disconnect())
    const good = encodeBusMessage({
      node: 'another',
      message: { type: 'row', version: 7, update: new Uint8Array(3) },
    })
    const changed = (at: number, byte: number): Uint8Array =>
      good.map((other, place) => (place === at ? byte : other))
    const typeAt = 1 + 1 + 'another'.length
    const bad = [
      changed(0, 2),
      changed(typeAt, 99),
      changed(typeAt + 3, 120),
      new Uint8Array(),
      good.subarray(0, 4),
    ]
    for (const bytes of [...bad, good]) await redis.publish(`parley/${prefix}/alice`, Buffer.from(bytes))
    await far.until(() => far.messages.length > 0)
    expect(far.messages).toEqual([{ type: 'row', version: 7, update: new Uint8Array(3) }])
  })
})
