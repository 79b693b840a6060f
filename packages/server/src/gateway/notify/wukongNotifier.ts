import { ServerError } from '../../errors.js'
import { type Logger, silentLogger } from '../../logger.js'
import type { Command } from './command.js'
import type { Notify } from './notifier.js'

/** How commands reach the clients of a WuKongIM server. */
export interface WukongNotifierOptions {
  /** The address of its API, such as `http://127.0.0.1:5001`. */
  readonly url: string
  /** What its configuration calls `managerToken`, if it has one. */
  readonly token?: string
  readonly logger?: Logger
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs?: number
  /** How long after a first failure it is tried again, in milliseconds; twice as long after each further one. */
  readonly retryDelayMs?: number
  /** How often a command is tried in all. */
  readonly maxAttempts?: number
  /** Most commands that wait; beyond them the oldest is given up. */
  readonly maxWaiting?: number
}

/** Posts commands to a WuKongIM server. */
export interface WukongNotifier {
  /** The `notify` of the gateway's options. */
  readonly notify: Notify
  /** How many commands are waiting or under way. */
  readonly waiting: number
  /** Settles when nothing waits any more. */
  idle: () => Promise<void>
  /** Sends what waits, gives up at the first failure, and takes no more. May be called twice. */
  close: () => Promise<void>
}

const TIMEOUT_MS = 5000
const RETRY_DELAY_MS = 500
/** With the delays from above, 15 seconds: a restart of the IM server. */
const MAX_ATTEMPTS = 6
/** Some 2 MB. */
const MAX_WAITING = 10_000
/** So many requests are under way at once. */
const CONCURRENCY = 4

const PERSON = 1
/** The type of a payload that is a command. */
const COMMAND_TYPE = 99
const TOO_MANY_REQUESTS = 429
const SERVER_ERROR = 500

interface Waiting {
  readonly uid: string
  readonly body: string
  attempts: number
}

/**
 * Creates a {@link WukongNotifier}: it sends each command to its user by WuKongIM's `POST /message/send`, as TangSengDaoDao's
 * server does. What cannot be sent for a while is given up, for clients learn of it when they next sync.
 *
 * @throws ServerError with code `invalid-argument` if the address is none of http or https
 * @example
 * ```ts
 * import { createMemoryLog, createServer, createWukongNotifier } from '@parley/server'
 *
 * const wukong = createWukongNotifier({ url: 'http://127.0.0.1:5001' })
 * const server = await createServer({ store: createMemoryLog(), auth: 'open', port: 0, gateway: { notify: wukong.notify } })
 * await server.listen()
 * await server.close()
 * await wukong.close()
 * ```
 */
export function createWukongNotifier(options: WukongNotifierOptions): WukongNotifier {
  const {
    token,
    logger = silentLogger,
    timeoutMs = TIMEOUT_MS,
    retryDelayMs = RETRY_DELAY_MS,
    maxAttempts = MAX_ATTEMPTS,
    maxWaiting = MAX_WAITING,
  } = options
  const address = sendAddress(options.url)
  const queue: Waiting[] = []
  const stopping = new AbortController()
  let underWay = 0
  let dropped = 0
  const onIdle: Array<() => void> = []

  const post = async ({ body }: Waiting): Promise<number> => {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { token }) },
      body,
      // The token is for this server only.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await answer.body?.cancel()
    return answer.status
  }
  /** True if it need not be tried again. */
  const attempt = async (waiting: Waiting): Promise<boolean> => {
    waiting.attempts++
    try {
      const status = await post(waiting)
      if (status >= 200 && status < 300) return true
      if (status !== TOO_MANY_REQUESTS && status < SERVER_ERROR) {
        logger.error({ room: waiting.uid, status }, 'the IM server refused a command')
        return true
      }
      throw new Error(`it answered with ${status}`)
    } catch (error) {
      const { aborted: isStopping } = stopping.signal
      if (waiting.attempts < maxAttempts && !isStopping) return false
      // Whoever stops does not wait for every one of them.
      const given = isStopping ? 1 + queue.splice(0).length : 1
      logger.error(
        { room: waiting.uid, err: error, commands: given },
        'the IM server could not be told of commands',
      )
      return true
    }
  }
  const work = async (): Promise<void> => {
    underWay++
    for (let next = queue.shift(); next; next = queue.shift()) {
      while (!(await attempt(next))) await pause(retryDelayMs * 2 ** (next.attempts - 1), stopping.signal)
    }
    underWay--
    if (underWay > 0) return
    for (const resolve of onIdle.splice(0)) resolve()
  }
  const add = (waiting: Waiting): void => {
    if (queue.length >= maxWaiting) {
      queue.shift()
      dropped++
      if (dropped === 1)
        logger.error({ maxWaiting }, 'more commands wait for the IM server than may: the oldest are given up')
    } else dropped = 0
    queue.push(waiting)
    if (underWay < CONCURRENCY) void work()
  }
  const idle = (): Promise<void> =>
    underWay === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve))

  return {
    notify(uid, commands) {
      if (stopping.signal.aborted) return
      for (const command of commands) add({ uid, body: JSON.stringify(messageOf(uid, command)), attempts: 0 })
    },
    get waiting() {
      return queue.length + underWay
    },
    idle,
    close() {
      stopping.abort()
      return idle()
    },
  }
}

/** The command as a message to the user, which clients do not show. */
function messageOf(uid: string, command: Command): object {
  const isDeletion = command.cmd === 'conversationDeleted' || command.cmd === 'conversationDelete'
  const payload = { type: COMMAND_TYPE, ...command }
  return {
    // Devices that are offline learn of a deletion only by its command; of the rest by the next sync.
    header: { no_persist: isDeletion ? 0 : 1, red_dot: 0, sync_once: 1 },
    from_uid: '',
    channel_id: uid,
    channel_type: PERSON,
    payload: Buffer.from(JSON.stringify(payload)).toString('base64'),
    subscribers: [],
  }
}

function sendAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new ServerError(
      'invalid-argument',
      "url must be the http or https address of WuKongIM's API, without a name or a password in it",
    )
  }
  let end = url.length
  while (url[end - 1] === '/') end--
  return `${url.slice(0, end)}/message/send`
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
