import { randomBytes } from 'node:crypto'
import { Redis, type RedisOptions } from 'ioredis'
import { ServerError } from '../errors.js'
import { type Logger, silentLogger } from '../logger.js'
import type { Bus, BusMessage } from './bus.js'
import { decodeBusMessage, encodeBusMessage } from './busCodec.js'

/** Where the bus is, and what else is there. */
export interface RedisBusOptions {
  /** Where Redis is, as in `redis://user:password@host:6379`. */
  url: string
  /**
   * What the names of channels begin with. Nodes that have it in common hear each other: it must be another one for each store,
   * or nodes would be told of rooms that are not theirs.
   */
  prefix: string
  /** Nothing is logged if left out. */
  logger?: Logger
  /** How often it is looked whether Redis still answers, in milliseconds; 5 seconds if left out. */
  heartbeatMs?: number
}

type Listener = (message: BusMessage) => void

const HEARTBEAT_MS = 5_000
const CONNECT_TIMEOUT_MS = 5_000
const MAX_RETRY_MS = 3_000
/** What may be on its way to a Redis that does not keep up; what is more is not sent, and read from the store. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024
/** So many rooms are subscribed to with one command. */
const SUBSCRIBE_CHUNK = 500

/**
 * Creates a {@link Bus} over Redis Pub/Sub. While Redis is away nothing is told and nothing is kept to be told later; once it is
 * back the subscriptions are there again.
 *
 * @throws ServerError with code `invalid-argument` if the address is none
 * @example
 * ```ts
 * import { createRedisBus } from '@parley/server'
 *
 * const url = process.env.PARLEY_REDIS_URL ?? 'redis://127.0.0.1:6379'
 * const bus = createRedisBus({ url, prefix: 'example' })
 * const stop = bus.subscribe('alice', (message) => console.log(message.type))
 * bus.publish('alice', { type: 'row', version: 1, update: null })
 * stop()
 * await bus.close()
 * ```
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const { url, logger = silentLogger, heartbeatMs = HEARTBEAT_MS } = options
  checkAddress(url)
  const prefix = `parley/${options.prefix}/`
  const node = randomBytes(8).toString('hex')
  const listeners = new Map<string, Set<Listener>>()
  const [publisher, subscriber] = [openRedis(url, logger), openRedis(url, logger)]
  let pendingBytes = 0
  let closing: Promise<void> | null = null

  /** Commands fail while Redis is away; all that is to be done then is done once it is back. */
  const attempt = (command: Promise<unknown>): void => void command.catch(() => {})
  const isReady = (redis: Redis): boolean => redis.status === 'ready'

  subscriber.on('ready', () => {
    const channels = [...listeners.keys()].map((room) => prefix + room)
    for (let at = 0; at < channels.length; at += SUBSCRIBE_CHUNK) {
      attempt(subscriber.subscribe(...channels.slice(at, at + SUBSCRIBE_CHUNK)))
    }
  })
  subscriber.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
    const from = decodeBusMessage(bytes)
    if (!from || from.node === node) return
    for (const listener of [...(listeners.get(channel.toString().slice(prefix.length)) ?? [])]) {
      try {
        listener(from.message)
      } catch (error) {
        logger.error({ err: error }, 'what another node told could not be dealt with')
      }
    }
  })
  const stopHeartbeats = [publisher, subscriber].map((redis) => watchRedis(redis, heartbeatMs, logger))

  return {
    publish(room, message) {
      if (closing || !isReady(publisher) || pendingBytes > MAX_PENDING_BYTES) return
      const bytes = Buffer.from(encodeBusMessage({ node, message }))
      pendingBytes += bytes.byteLength
      const sent = publisher.publish(prefix + room, bytes).finally(() => {
        pendingBytes -= bytes.byteLength
      })
      attempt(sent)
    },
    subscribe(room, listener) {
      if (closing) return () => {}
      const others = listeners.get(room)
      if (others) others.add(listener)
      else {
        listeners.set(room, new Set([listener]))
        if (isReady(subscriber)) attempt(subscriber.subscribe(prefix + room))
      }
      return () => {
        const mine = listeners.get(room)
        if (!mine?.delete(listener) || mine.size > 0) return
        listeners.delete(room)
        if (isReady(subscriber)) attempt(subscriber.unsubscribe(prefix + room))
      }
    },
    close() {
      closing ??= (async () => {
        for (const stop of stopHeartbeats) stop()
        listeners.clear()
        publisher.disconnect()
        subscriber.disconnect()
      })()
      return closing
    },
  }
}

function checkAddress(url: string): void {
  // The driver takes any text for an address and the local machine for what it does not understand.
  if (/^rediss?:\/\/[^/]/.test(url) && URL.canParse(url)) return
  throw new ServerError('invalid-argument', 'The address of Redis must be like redis://127.0.0.1:6379')
}

/** Opens a connection that comes back by itself and keeps nothing while it is away. */
function openRedis(url: string, logger: Logger): Redis {
  const options: RedisOptions = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Ours are those that are wanted when it is back.
    autoResubscribe: false,
    // Nodes that lost it together do not come back together.
    retryStrategy: (attempts) => Math.min(MAX_RETRY_MS, attempts * 100) * (0.5 + Math.random()),
  }
  const redis = new Redis(url, options)
  let isAway = false
  redis.on('error', (error) => {
    if (!isAway) logger.warn({ err: error }, 'Redis is away; nodes find each other out by asking the store')
    isAway = true
  })
  redis.on('ready', () => {
    if (isAway) logger.info({}, 'Redis is back')
    isAway = false
  })
  return redis
}

/** Gives up a connection over which no answer comes: a machine that is gone does not say so. Returns what ends it. */
function watchRedis(redis: Redis, heartbeatMs: number, logger: Logger): () => void {
  let awaiting = false
  const timer = setInterval(() => {
    if (redis.status !== 'ready') {
      awaiting = false
      return
    }
    if (awaiting) {
      awaiting = false
      logger.warn({}, 'Redis does not answer, and is connected anew')
      redis.disconnect(true)
      return
    }
    awaiting = true
    redis.ping().then(
      () => {
        awaiting = false
      },
      () => {
        awaiting = false
      },
    )
  }, heartbeatMs)
  timer.unref()
  return () => clearInterval(timer)
}
