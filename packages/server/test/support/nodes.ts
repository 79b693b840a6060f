import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { createRedisBus, openPostgresLog, type PostgresLogOptions } from '../../src/index.js'
import type { TestSchema } from '../../src/testing.js'
import { type Running, startServer } from './harness.js'
import { openProxy, type ServiceProxy } from './proxy.js'
import { newSchema, serviceUrl } from './services.js'

/** A server among several that share a store, with a way of its own to PostgreSQL and to Redis. */
export interface TestNode extends Running {
  readonly database: ServiceProxy
  readonly redis: ServiceProxy
}

export interface TestNodes {
  readonly nodes: readonly TestNode[]
  readonly schema: TestSchema
}

export interface TestNodesOptions {
  count: number
  /** How often they look for what they were not told. */
  pollMs?: number
  timing?: PostgresLogOptions['timing']
}

/** Starts servers that share a schema of PostgreSQL and a bus, until the test ends. */
export async function startNodes({ count, pollMs = 100, timing = {} }: TestNodesOptions): Promise<TestNodes> {
  const schema = await newSchema()
  const prefix = randomUUID()
  const start = async (): Promise<TestNode> => {
    const database = await openProxy(schema.url)
    const redis = await openProxy(serviceUrl('PARLEY_TEST_REDIS_URL'))
    const bus = createRedisBus({ url: redis.url, prefix, heartbeatMs: 100 })
    const store = await openPostgresLog({ url: database.url, timing })
    const running = await startServer({ store, bus, timing: { pollMs, stopTimeoutMs: 500 } })
    // Before the server closes, which would wait for what is blocked.
    onTestFinished(async () => {
      await Promise.all([database.restore(), redis.restore()])
    })
    return { ...running, database, redis }
  }
  return { nodes: await Promise.all(Array.from({ length: count }, start)), schema }
}

/** The values that a device has of what all devices wrote. */
export function valuesOf(doc: Y.Doc): string[] {
  return doc.getArray<string>('values').toArray().sort()
}

/** The values that are stored of a room, as somebody finds them who has only the store. */
export async function storedValues(schema: TestSchema, room: string): Promise<Set<string>> {
  const store = await openPostgresLog({ url: schema.url })
  try {
    const doc = new Y.Doc()
    const { snapshot, rows } = await store.load(room)
    for (const { update } of [...(snapshot ? [snapshot] : []), ...rows]) Y.applyUpdate(doc, update)
    return new Set(valuesOf(doc))
  } finally {
    await store.close()
  }
}
