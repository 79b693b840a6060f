import type * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import type { ChannelFacts } from '../conversation/facts.js'
import type { EntryLog } from '../document/entryLog.js'
import type { DraftBook } from '../drafts/draftBook.js'
import type { Environment } from '../environment.js'
import type { HybridClock } from '../lattice/hlc.js'
import type { ConversationBook } from '../list/conversationBook.js'
import type { Writer } from './writer.js'

/** What the actions of a store share: the document, what is known of it, and the way to write. */
export interface StoreCore {
  readonly doc: Y.Doc
  readonly userId: string
  readonly deviceName: string
  readonly environment: Environment
  readonly clock: HybridClock
  readonly log: EntryLog
  readonly drafts: DraftBook
  readonly conversations: ConversationBook
  /** The facts of a channel as of the last finished transaction. */
  readonly facts: (key: ChannelKey) => ChannelFacts
  /** Runs `action` in one transaction; what it puts is appended at the end of the outermost one. */
  readonly transact: <Result>(action: (writer: Writer) => Result) => Result
  /** True while a transaction of the store runs: views show the state from before it. */
  readonly isWriting: boolean
  /** The texts of drafts for which `touchDraft` was called in this transaction. */
  readonly touched: Set<unknown>
  /** Looks at a channel's drafts again after this device chose another one to show. */
  readonly draftsChanged: (key: ChannelKey) => void
}
