/**
 * Types of the hostile inputs that the budget suite sends to a server.
 *
 * To add an input, append an object to `HTTP_INPUTS` (`httpInputs.ts`) or `MESSAGE_INPUTS` (`syncInputs.ts`). Nothing else is
 * needed: the command `pnpm budget` runs it at the sizes n, 2n and 4n, `pnpm budget NAME` runs those whose names contain NAME,
 * and the test `budget.test.ts` runs it in CI if `sample` is true. A route or a WebSocket message type without an input fails
 * `coverage.test.ts`.
 *
 * - `kind: 'http'`: `requests` returns the requests of one size. They are sent at once; each has to be answered with one of
 *   `statuses`.
 * - `kind: 'message'`: `frames` returns the WebSocket messages of one size, in the encoding of y-websocket. They are sent one after
 *   the other on a connection whose first sync is done, then the runner asks for an acknowledgement. `outcomes` lists what may
 *   follow: `'acknowledged'` or a close code. `type` is a key of `MESSAGE_TYPES`.
 *
 * `n` is the smallest size. Choose it so that work that is linear in it takes a few milliseconds, and work that is quadratic
 * in `4n` takes seconds. `prepare` fills the user's room before anything is measured. Inputs are built before the clock
 * starts, so that slow builders change nothing.
 *
 * @example
 * ```ts
 * const unterminated: HttpInput = {
 *   kind: 'http', name: 'json/unterminated string', shape: 'truncated', route: 'POST /conversation/sync', as: 'user', n: 10_000,
 *   requests: (n) => [{ body: `{"uid":"${'\\"'.repeat(n)}` }],
 *   statuses: [400],
 * }
 * const manySyncs: MessageInput = {
 *   kind: 'message', name: 'sync/many requests', shape: 'repeated', type: 'sync', as: 'user', n: 50,
 *   frames: (n) => Array.from({ length: n }, () => Uint8Array.of(0, 0, 1, 0)),
 *   outcomes: ['acknowledged', 4529],
 * }
 * ```
 */
export type Input = HttpInput | MessageInput

/** What an input is made of, as a grammar has it. Each shape is a way in which work can grow faster than the input. */
export type Shape = 'deep' | 'long' | 'repeated' | 'overlapping' | 'truncated' | 'contradictory'

/** Who sends an input: a caller without a token, a user, a user with a read-only token, the IM server with the ingest token. */
export type Sender = 'nobody' | 'user' | 'reader' | 'service'

interface InputBase {
  /** Unique; begins with what it attacks, such as `json/`. */
  readonly name: string
  readonly shape: Shape
  readonly as: Sender
  /** The smallest size. */
  readonly n: number
  /** True if CI runs this input too. */
  readonly sample?: boolean
  /** Fills the user's room for a size, before anything is measured. */
  readonly prepare?: (target: Target, n: number) => Promise<void>
}

/** Requests by plain HTTP. */
export interface HttpInput extends InputBase {
  readonly kind: 'http'
  /** Method and path as the route table has them. */
  readonly route: string
  /** How the server is started; `jwt` if left out. An open server has no tokens and believes the `uid` of a body. */
  readonly auth?: 'jwt' | 'open'
  readonly requests: (n: number, uid: string) => readonly HttpRequest[]
  /** The statuses that are right; `'none'` is a connection that ends without a response. */
  readonly statuses: ReadonlyArray<number | 'none'>
}

/** One request. */
export interface HttpRequest {
  /** The path and query, if the route has parameters. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** True to send the body without `Content-Length`. */
  readonly chunked?: boolean
  /** True to announce the whole body, send half of it, and close the connection after a moment. */
  readonly cut?: boolean
  /** True to leave the response unread for a moment, then close the connection. */
  readonly unread?: boolean
}

/** Messages on a WebSocket. */
export interface MessageInput extends InputBase {
  readonly kind: 'message'
  readonly type: MessageType
  readonly frames: (n: number, uid: string) => readonly Uint8Array[]
  /** What may follow. */
  readonly outcomes: ReadonlyArray<'acknowledged' | number>
}

/** The WebSocket message types with the bytes that they begin with. */
export const MESSAGE_TYPES = {
  sync: [0, 0],
  answer: [0, 1],
  update: [0, 2],
  awareness: [1],
  queryAwareness: [3],
  acknowledge: [112],
  token: [113],
  digest: [114],
} as const

export type MessageType = keyof typeof MESSAGE_TYPES

/** The server under test, for `prepare`. */
export interface Target {
  /** Such as `http://127.0.0.1:4300`. */
  readonly url: string
  /** The user whose room is attacked; another one for each size. */
  readonly uid: string
  readonly ingestToken: string
  /** A valid token of the user. */
  readonly token: string
}
