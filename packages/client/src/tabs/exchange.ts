import { onUpdate, ParleyError } from '@parley/core'
import * as Y from 'yjs'
import type { ClientEnvironment } from '../environment.js'
import { ORIGINS } from '../origins.js'
import type { ReceivedTabMessage, TabChannel } from './tabChannel.js'

/** Keeps the documents of a browser's tabs equal. */
export interface TabExchange {
  /** Tells the others of an edit made here. */
  tell: (update: Uint8Array, edit: number) => void
  /** Asks the others for what this tab lacks, and offers what it has. */
  greet: () => void
  stop: () => void
}

export interface TabExchangeOptions {
  readonly channel: TabChannel
  readonly doc: Y.Doc
  readonly receive: (update: Uint8Array, origin: unknown) => 'applied' | 'held'
  readonly environment: Pick<ClientEnvironment, 'reportError'>
  /** The number of this tab's last edit. */
  readonly lastEdit: () => number
  /** True if this tab passes on what the server sends. */
  readonly relays: () => boolean
  /** Called when all edits of a tab up to this number are in the document. */
  readonly onEdits: (tab: string, edit: number) => void
}

/** Creates a {@link TabExchange}. */
export function createTabExchange(options: TabExchangeOptions): TabExchange {
  const { channel, doc, environment, lastEdit, onEdits } = options
  /** Tabs of which something is missing: until their whole state is here, their later edits say nothing of the earlier. */
  const behind = new Set<string>()

  const take = (update: Uint8Array): boolean => {
    try {
      return options.receive(update, ORIGINS.tab) === 'applied'
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error
      environment.reportError(error)
      return false
    }
  }
  const greet = (to?: string): void =>
    channel.post({ type: 'hello', vector: Y.encodeStateVector(doc), ...(to === undefined ? {} : { to }) })
  const sendState = (to: string, vector: Uint8Array, answer: boolean): void =>
    channel.post({
      type: 'state',
      to,
      update: Y.encodeStateAsUpdate(doc, vector),
      vector: Y.encodeStateVector(doc),
      edit: lastEdit(),
      answer,
    })

  const onMessage = (message: ReceivedTabMessage): void => {
    const { from } = message
    if (message.type === 'hello') sendState(from, message.vector, true)
    else if (message.type === 'state') {
      if (take(message.update)) {
        behind.delete(from)
        onEdits(from, message.edit)
      }
      if (message.answer) sendState(from, message.vector, false)
    } else if (message.type === 'update') {
      if (!take(message.update)) {
        behind.add(from)
        greet(from)
      } else if (message.edit !== undefined && !behind.has(from)) onEdits(from, message.edit)
    }
  }

  const stopMessages = channel.subscribe(onMessage)
  const stopUpdates = onUpdate(
    doc,
    ({ update, origin }) => {
      if (origin === ORIGINS.socket && options.relays()) channel.post({ type: 'update', update })
    },
    environment.reportError,
  )
  return {
    tell: (update, edit) => channel.post({ type: 'update', update, edit }),
    greet: () => greet(),
    stop() {
      stopMessages()
      stopUpdates()
    },
  }
}
