import * as Y from 'yjs'
import { type Channel, type ChannelKey, channelKey, checkId, isChannelKey } from '../conversation/channel.js'
import { type ConversationHandle, createConversationHandle } from '../conversation/conversationHandle.js'
import type { Message } from '../conversation/message.js'
import { type ProvidedConversation, provideConversations } from '../conversation/provide.js'
import { receiveMessages } from '../conversation/receive.js'
import { createStoreDigest, type StoreDigest } from '../digest/storeDigest.js'
import { createEntryLog } from '../document/entryLog.js'
import { createIntake, type Intake, type IntakeResult } from '../document/intake.js'
import { takeCheckpoint } from '../document/rollback.js'
import { assertSameYjs } from '../document/schema.js'
import { onTransaction } from '../document/updates.js'
import { followArrivals, noteTyping } from '../drafts/composing.js'
import { createDraftBook } from '../drafts/draftBook.js'
import { channelOf } from '../drafts/place.js'
import { createUnfinishedDrafts, type UnfinishedDraft } from '../drafts/unfinished.js'
import { createEmitter } from '../emitter.js'
import { defaultEnvironment, type Environment } from '../environment.js'
import { invalidArgument, ParleyError } from '../errors.js'
import { type ClockHighWater, createHybridClock } from '../lattice/hlc.js'
import type { ChangeBatch } from '../list/changes.js'
import { createConversationBook } from '../list/conversationBook.js'
import { createListView, type ListFilter, type ListView, type ListWindow } from '../list/listView.js'
import type { Totals } from '../list/totals.js'
import type { StoreCore } from './core.js'
import { type Cursors, createCursors } from './cursors.js'
import { type ExportedState, exportState } from './exportState.js'
import { maintainDocument, sweepIfDue } from './maintain.js'
import { rebuildDocument } from './rebuild.js'
import { salvageHeld } from './salvageHeld.js'
import { createWriter, type Writer } from './writer.js'

/** What a store is made of. */
export interface StoreOptions {
  /** The user whose conversations these are; messages from this user raise no badge. */
  readonly userId: string
  /** The document, if it exists already; a new one otherwise. One store per document. */
  readonly doc?: Y.Doc
  /** What other devices call this one, as in "another draft, from Phone". */
  readonly deviceName?: string
  /** How far this device's clock got before, see {@link Store.highWater}. */
  readonly highWater?: ClockHighWater
  readonly environment?: Partial<Environment>
}

/** How {@link Store.rebuild} replaces the document. */
export interface RebuildOptions {
  /** Passed on to Yjs for the transactions that replace the content. */
  readonly origin?: unknown
  /**
   * The document as it was before anything of the other replica was applied to it, as an update: what that deleted under a clock
   * that both have used is kept too.
   */
  readonly before?: Uint8Array | null
  /** What another tab's `rebuild` returned that replaced the same content: its drafts are not kept twice. */
  readonly handled?: RebuiltDrafts
}

/** The text of each draft as it was before the document was replaced, by the draft's id. */
export type RebuiltDrafts = ReadonlyMap<string, string>

/** A value that changes, in the shape that `useSyncExternalStore` and its like take. */
export interface Readable<Value> {
  /** Calls `listener` after each change until the returned function is called. */
  subscribe: (listener: () => void) => () => void
  /** The value now: immutable, and the same object until it changes. */
  getSnapshot: () => Value
}

/** One user's conversations in one document. */
export interface Store {
  readonly userId: string
  readonly doc: Y.Doc
  /** The one door for updates from outside; see {@link Store.applyUpdate}. */
  readonly intake: Intake
  /** The conversation of a channel, whether anything is known of it or not. */
  conversation: (channel: Channel) => ConversationHandle
  /** Takes in messages, one or thousands, in any order and any number of times. Nothing is changed if one is invalid. */
  receive: (messages: Message | readonly Message[]) => void
  /** Takes in conversations as a provider lists them: evidence beside what the user did here, which it never undoes. */
  provide: (conversations: readonly ProvidedConversation[]) => void
  /** An ordered, filtered, windowed list. Close it when it is not needed any more. */
  list: (filter?: ListFilter, window?: ListWindow) => ListView
  readonly totals: Readable<Totals>
  /**
   * Everything that is unfinished, in all conversations, hidden ones included, the newest first: drafts, edits of messages, what
   * is recovered, on its way, or failed.
   */
  readonly drafts: Readable<readonly UnfinishedDraft[]>
  /** Tells what each transaction changed, in one batch. */
  onChange: (listener: (batch: ChangeBatch) => void) => () => void
  /**
   * Tells which conversations a transaction touched, hidden ones included and whether or not it shows: for what keeps an
   * index of its own. Cheaper than {@link Store.onChange}, for no list is kept in order.
   */
  onTouch: (listener: (keys: ReadonlySet<ChannelKey>) => void) => () => void
  readonly cursors: Cursors
  /** The conversations of which anything is known, hidden ones included, in no order. */
  keys: () => ChannelKey[]
  /**
   * Does several actions in one transaction: one update, one batch of changes. They see the state from before it. If one
   * throws, everything is rolled back: entries, drafts that were begun, characters that were typed or deleted in a draft's
   * `Y.Text`, and which draft the composer shows. The error is thrown on.
   */
  transact: (actions: () => void) => void
  /**
   * Checks an update from outside and applies it, or holds it while it builds on something that is missing.
   *
   * @throws ParleyError with code `invalid-update`, or `too-large` for an update beyond `UPDATE_LIMITS` or one that takes too
   *   many steps to integrate; nothing is changed then
   */
  applyUpdate: (update: Uint8Array, origin?: unknown) => IntakeResult
  /** How far the clock got. Keep it outside of the document and pass it in again: a crash may lose the last edits. */
  readonly highWater: ClockHighWater
  /**
   * Gives up waiting for what held updates build on, and writes again what can be read of them: their entries, and what was
   * typed, as recovered drafts. For when the sync that a gap asks for has brought everything there is, and a part is lost
   * for good, as with a row of a database that cannot be read.
   *
   * @returns true if anything was held
   */
  salvage: () => boolean
  /**
   * Replaces the content of the document by the state of another replica, in place, and writes again under a new client id
   * what only this document has. For where two replicas hold different changes of one client under one clock, which nothing
   * else can reconcile: a copy of a process, of its data, or of the server's went on under the same client id.
   *
   * Where a draft has another text there, both are kept, one beside the other.
   *
   * @param state the whole document of the other replica, as an update
   * @throws ParleyError with code `invalid-update`, or `invalid-argument` if it is not a whole document; nothing is changed then
   */
  rebuild: (state: Uint8Array, options?: RebuildOptions) => RebuiltDrafts
  /** The digest of the document, to be compared with another replica's. */
  readonly digest: StoreDigest
  /** Tidies up: deletes what is dominated, and the characters of drafts that were sent or cleared a day ago. */
  maintain: () => void
  /** The whole state as plain JSON, canonical: two documents that say the same give the same. */
  export: () => ExportedState
  /** Stops following the document. Twice is fine. */
  close: () => void
}

/** A transaction of the store that is under way. */
interface Writing {
  readonly writer: Writer
  readonly transaction: Y.Transaction
}

/** The origin of this store's own transactions, as listeners of the document see it. */
const LOCAL_ORIGIN = Symbol('parley.local')

const NO_DRAFTS_HANDLED: RebuiltDrafts = new Map()

/** Refuses what is no whole document, before anything is taken away for it. */
function checkWhole(state: Uint8Array): void {
  const probe = new Y.Doc()
  try {
    if (createIntake(probe).receive(state) === 'applied') return
    invalidArgument('state', 'a whole document, with all that its changes build on')
  } finally {
    probe.destroy()
  }
}

/** A window that shows all. */
const WHOLE_LIST: ListWindow = { offset: 0, limit: Number.POSITIVE_INFINITY }

/**
 * Creates a store over a Yjs document.
 *
 * @throws ParleyError with code `invalid-argument`, or `duplicate-yjs` for a document of another copy of Yjs
 * @example
 * ```ts
 * import { createStore } from '@parley/core'
 *
 * const store = createStore({ userId: 'alice', deviceName: 'Laptop' })
 * const bob = store.conversation({ channelId: 'bob', channelType: 1 })
 * store.receive({ channel: bob.channel, messageSeq: 1, fromUid: 'bob', timestamp: Date.now(), payload: { text: 'Hi!' } })
 * bob.getSnapshot().unread // 1
 * bob.draft.set('Hello Bob')
 * bob.markRead()
 * ```
 */
export function createStore(options: StoreOptions): Store {
  const { userId, doc = new Y.Doc(), deviceName = '' } = options
  checkId(userId, 'userId')
  if (typeof deviceName !== 'string') invalidArgument('deviceName', 'a string')
  assertSameYjs(doc)
  const environment: Environment = { ...defaultEnvironment, ...options.environment }
  const clock = createHybridClock(environment, options.highWater)
  const log = createEntryLog(doc, clock)
  const drafts = createDraftBook(doc, log.index, clock, (subject) => current?.writer.pending(subject))
  const conversations = createConversationBook(log.index, drafts, environment)
  const unfinished = createUnfinishedDrafts(drafts, conversations.get, environment.reportError)
  const intake = createIntake(doc)
  const touches = createEmitter<ReadonlySet<ChannelKey>>(environment.reportError)
  const handles = new Map<ChannelKey, ConversationHandle>()
  const touched = new Set<unknown>()
  const staleDrafts = new Set<ChannelKey>()
  let current: Writing | null = null
  let closed = false
  let isRebuilding = false

  const core: StoreCore = {
    doc,
    userId,
    deviceName,
    environment,
    clock,
    log,
    drafts,
    conversations,
    facts: conversations.facts,
    get isWriting() {
      return current !== null
    },
    touched,
    transact(action) {
      if (closed) throw new ParleyError('closed', 'The store is closed; nothing can be written')
      if (current) return action(current.writer)
      const writer = createWriter(log.index)
      try {
        return doc.transact((transaction) => {
          current = { writer, transaction }
          drafts.beginChoosing()
          try {
            const result = attempt(current, () => {
              const returned = action(writer)
              noteTyping(core, drafts.typedIn(transaction))
              return returned
            })
            const lines = writer.lines()
            log.append(lines)
            if (lines.length > 0) sweepIfDue(log)
            return result
          } finally {
            // Before `doc.transact` returns it notifies listeners, and what those write is a transaction of its own.
            current = null
            touched.clear()
          }
        }, LOCAL_ORIGIN)
      } finally {
        refreshDrafts()
      }
    },
    draftsChanged(key) {
      staleDrafts.add(key)
      if (!current) refreshDrafts()
    },
  }

  /** Runs a part of a transaction; if it throws, nothing of it stays. */
  const attempt = <Result>({ writer, transaction }: Writing, action: () => Result): Result => {
    const revertDocument = takeCheckpoint(transaction)
    const revertEntries = writer.takeCheckpoint()
    const revertChoices = drafts.takeCheckpoint()
    try {
      return action()
    } catch (error) {
      revertDocument()
      revertEntries()
      for (const key of revertChoices()) staleDrafts.add(key)
      throw error
    }
  }

  /** Derives conversations again in which this device chose another draft to show. */
  const refreshDrafts = (): void => {
    if (staleDrafts.size === 0) return
    const changed = new Map([...staleDrafts].map((key) => [key, ['drafts']]))
    staleDrafts.clear()
    conversations.refresh(changed, 'local')
    unfinished.refresh(changed.keys())
  }

  const integrate = (transaction: Y.Transaction): void => {
    const changes = log.integrate(transaction)
    const draftChannels = new Set([...drafts.integrate(transaction, changes)].map(channelOf))
    // While a document loads nobody has looked yet, and nothing has to be brought up to date.
    if (conversations.isWatched || touches.size > 0 || unfinished.isWatched) {
      const changed = new Map<ChannelKey, string[]>()
      const note = (key: ChannelKey, register: string): void => {
        const registers = changed.get(key)
        if (registers) registers.push(register)
        else changed.set(key, [register])
      }
      for (const { subject, register } of changes) if (isChannelKey(subject)) note(subject, register)
      for (const key of draftChannels) note(key, 'drafts')
      if (changed.size > 0) {
        conversations.refresh(changed, transaction.local ? 'local' : 'remote')
        unfinished.refresh(changed.keys())
        touches.emit(new Set(changed.keys()))
      }
    }
    if (closed || isRebuilding || transaction.origin === LOCAL_ORIGIN) return
    if (transaction.local) {
      const typedIn = drafts.typedIn(transaction)
      if (typedIn.length > 0) core.transact(() => noteTyping(core, typedIn))
      return
    }
    for (const { subject } of changes) if (isChannelKey(subject)) draftChannels.add(subject)
    for (const key of draftChannels) followArrivals(core, key)
  }
  const stop = onTransaction(doc, integrate, environment.reportError)

  return {
    userId,
    doc,
    intake,
    conversation(channel) {
      const key = channelKey(channel)
      const known = handles.get(key)
      if (known) return known
      const handle = createConversationHandle(core, channel)
      handles.set(key, handle)
      return handle
    },
    receive: (messages) => receiveMessages(core, Array.isArray(messages) ? messages : [messages as Message]),
    provide: (provided) => provideConversations(core, provided),
    list: (filter = {}, window = WHOLE_LIST) =>
      createListView(
        {
          rows: conversations.rows,
          get: (row) => conversations.get(row.key),
          onRowChanges: conversations.onRowChanges,
          onRowsSettled: conversations.onRowsSettled,
          reportError: environment.reportError,
        },
        filter,
        window,
      ),
    totals: { subscribe: conversations.onTotals, getSnapshot: conversations.totals },
    drafts: { subscribe: unfinished.subscribe, getSnapshot: unfinished.getSnapshot },
    onChange: conversations.onBatch,
    onTouch: touches.subscribe,
    cursors: createCursors(core),
    keys: () => [...new Set([...drafts.channels, ...[...log.index.subjects].filter(isChannelKey)])],
    // One inside of another may throw by itself: what the outer one does besides stays.
    transact: (actions) => (current ? attempt(current, actions) : core.transact(actions)),
    applyUpdate: (update, origin) => intake.receive(update, origin),
    get highWater() {
      return clock.highWater
    },
    salvage: () => salvageHeld(core, intake),
    rebuild(state, { origin, before = null, handled = NO_DRAFTS_HANDLED } = {}) {
      checkWhole(state)
      isRebuilding = true
      try {
        return rebuildDocument(core, intake, { state, before, origin, handled })
      } finally {
        isRebuilding = false
      }
    },
    digest: createStoreDigest(doc, log.index),
    maintain: () => maintainDocument(core),
    export: () => exportState(core),
    close() {
      closed = true
      stop()
      conversations.close()
    },
  }
}
