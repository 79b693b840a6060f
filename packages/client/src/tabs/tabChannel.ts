import { createEmitter, type RebuiltDrafts } from '@parley/core'
import type { ClientEnvironment } from '../environment.js'
import type { ConnectionStatus, DivergenceStatus } from '../status/status.js'

/** What tabs of one browser that show one user's document say to each other. */
export type TabMessage =
  /** I am new here, or was asleep, or lack something: tell me what I do not have. */
  | { readonly type: 'hello'; readonly vector: Uint8Array; readonly to?: string }
  /** What you do not have. All of my edits up to `edit` are in it; `vector` says what I have, for your answer. */
  | {
      readonly type: 'state'
      readonly to: string
      readonly update: Uint8Array
      readonly vector: Uint8Array
      readonly edit: number
      readonly answer: boolean
    }
  /** A change as it happened: my own edit with its number, or without one what came from the server. */
  | { readonly type: 'update'; readonly update: Uint8Array; readonly edit?: number }
  /** The document was replaced by this state, which has all that was there, for `reason`. */
  | {
      readonly type: 'rebuilt'
      readonly state: Uint8Array
      readonly handled: RebuiltDrafts
      readonly divergence: DivergenceStatus | null
    }
  /** Is the leader there? */
  | { readonly type: 'ping' }
  /** I am the leader, and this is how I am connected. */
  | { readonly type: 'leader'; readonly connection: ConnectionStatus }
  /** The server has these edits: each tab's id and the number of its last one. */
  | { readonly type: 'saved'; readonly marks: ReadonlyArray<readonly [tab: string, edit: number]> }
  /** The user wants the network to be used, or not, or tried again. */
  | { readonly type: 'network'; readonly wanted: boolean }
  /** The local data is being deleted: let go of it. */
  | { readonly type: 'destroyed' }

/** A message and the tab it came from. */
export type ReceivedTabMessage = TabMessage & { readonly from: string }

/** Tabs that run another version of this protocol neither hear this one nor are heard. */
const PROTOCOL_VERSION = 1

/** Carries messages between the tabs of one browser. */
export interface TabChannel {
  /** True if messages can reach other tabs. */
  readonly isAvailable: boolean
  /** What the browser threw when the channel was opened or used; `null` if it threw nothing. */
  readonly refusal: unknown
  post: (message: TabMessage) => void
  subscribe: (listener: (message: ReceivedTabMessage) => void) => () => void
  /** Closes the browser's channel, without which no browser keeps the page in its back/forward cache. */
  suspend: () => void
  /** Opens it again. */
  resume: () => void
  close: () => void
}

/** Creates the channel of a document. Without a BroadcastChannel, or with one that is refused, the tab receives nothing. */
export function createTabChannel(
  name: string,
  tab: string,
  { BroadcastChannel, reportError }: Pick<ClientEnvironment, 'BroadcastChannel' | 'reportError'>,
): TabChannel {
  const received = createEmitter<ReceivedTabMessage>(reportError)
  let channel: BroadcastChannel | null = null
  let closed = false
  let refusal: unknown = null

  const onMessage = (event: MessageEvent): void => {
    const message = event.data as (ReceivedTabMessage & { to?: string }) | null
    // Whatever else has found this channel's name.
    if (typeof message !== 'object' || typeof message?.from !== 'string') return
    if (closed || (message.to !== undefined && message.to !== tab)) return
    received.emit(message)
  }
  const open = (): void => {
    if (!BroadcastChannel || channel || closed || refusal !== null) return
    try {
      channel = new BroadcastChannel(`${name}/tabs/${PROTOCOL_VERSION}`)
      channel.addEventListener('message', onMessage)
    } catch (error) {
      refuse(error)
    }
  }
  const shut = (): void => {
    channel?.removeEventListener('message', onMessage)
    channel?.close()
    channel = null
  }
  /** Once is enough: what a browser refuses it refuses for the life of the page. */
  const refuse = (error: unknown): void => {
    refusal = error ?? new Error('The channel was refused')
    shut()
  }

  open()
  return {
    get isAvailable() {
      return BroadcastChannel !== undefined && refusal === null
    },
    get refusal() {
      return refusal
    },
    post(message) {
      if (closed || !channel) return
      try {
        channel.postMessage({ ...message, from: tab })
      } catch (error) {
        refuse(error)
        reportError(error)
      }
    },
    subscribe: received.subscribe,
    suspend: shut,
    resume: open,
    close() {
      shut()
      closed = true
    },
  }
}
