import {
  type ChannelKey,
  type Conversation,
  createStore,
  MUTE_FOREVER,
  parseChannelKey,
  type Store,
} from '@parley/core'
import { createRandom, type Random } from '@parley/core/testing'
import * as Y from 'yjs'
import {
  createVersionIndex,
  encodeLastMsgSeqs,
  readHeldSeqs,
  rebuildVersionIndex,
  type StoredVersionIndex,
  selectConversations,
  selectExtras,
  selectReminders,
  type VersionIndex,
} from '../../src/index.js'
import { shownOf } from '../../src/versions/shown.js'

/** Rules that a test turns back, to see the failure each of them prevents. */
export interface WorldRules {
  /** Rows of the log are replayed one at a time after a restart. */
  readonly replay: 'rows' | 'batch'
  /** A restored backup starts above every version handed out and stamps everything there. */
  readonly restore: 'stamp' | 'plain'
  /** Mutes that end are given a row. */
  readonly time: boolean
  /** What a client does not list is answered whatever its version. */
  readonly unlisted: boolean
  /** A lost index is made anew at the head of the log. */
  readonly lost: 'rebuild' | 'forget'
}

const RULES: WorldRules = { replay: 'rows', restore: 'stamp', time: true, unlisted: true, lost: 'rebuild' }
const KEYS: readonly ChannelKey[] = ['1:a', '1:b', '1:c', '2:d', '2:e', '2:f']

interface Row {
  readonly version: number
  /** `null` for a row that holds nothing but the passing of time. */
  readonly update: Uint8Array | null
  readonly at: number
}

/** A client that polls and knows nothing of Yjs. */
interface PollingClient {
  readonly rows: Map<ChannelKey, { version: number; shown: number; headSeq: number; deleted: boolean }>
  readonly limit: number
  readonly usesFilters: boolean
  /** iOS lists what is deleted too. */
  readonly listsDeleted: boolean
}

/** A log of one user, devices that write to it, clients that poll it; crashes, restores, filters, cut answers. */
export function runVersionHistory(seed: number, turnedBack: Partial<WorldRules> = {}): string[] {
  const rules = { ...RULES, ...turnedBack }
  const random = createRandom(seed)
  let now = 1_000_000
  const openStore = (state?: Uint8Array): Store => {
    const doc = new Y.Doc()
    doc.clientID = 1 + random.int(2 ** 30)
    if (state) Y.applyUpdate(doc, state)
    const environment = { now: () => now, random, schedule: () => () => {} }
    return createStore({ userId: 'me', doc, environment })
  }

  // The server.
  let store = openStore()
  let index: VersionIndex = createVersionIndex()
  let rows: Row[] = []
  let head = 0
  let handedOut = 0
  let backup: { state: Uint8Array; index: StoredVersionIndex; head: number } | null = null
  const save = (): { state: Uint8Array; index: StoredVersionIndex; head: number } => ({
    state: Y.encodeStateAsUpdate(store.doc),
    index: structuredClone(index.store()),
    head,
  })
  const snapshot = (key: ChannelKey): Conversation => store.conversation(parseChannelKey(key)).getSnapshot()
  const touchedBy = (updates: readonly Uint8Array[]): Conversation[] => {
    const keys = new Set<ChannelKey>()
    const stop = store.onTouch((touched) => {
      for (const key of touched) keys.add(key)
    })
    store.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(store.doc, update)
    })
    stop()
    return [...keys].map(snapshot)
  }
  const takeIn = (row: Row): void => {
    if (row.update) index.integrate(row.version, touchedBy([row.update]))
    else index.pass(row.version, row.at, index.due(row.at).map(snapshot))
  }
  const push = (row: Omit<Row, 'version'>): void => {
    const stored = { ...row, version: ++head }
    rows.push(stored)
    takeIn(stored)
  }
  let disk = save()
  const restart = (): void => {
    store = openStore(disk.state)
    index = createVersionIndex(disk.index)
    const missed = rows.filter(({ version }) => version > disk.head)
    if (rules.replay === 'rows') for (const row of missed) takeIn(row)
    else if (missed.length > 0) {
      const updates = missed.flatMap(({ update }) => (update ? [update] : []))
      index.integrate(head, touchedBy(updates))
    }
  }
  const loseIndex = (): void => {
    const known = KEYS.map(snapshot)
    index =
      rules.lost === 'rebuild'
        ? rebuildVersionIndex(head, known, { time: index.time })
        : createVersionIndex({ head, time: index.time, gaps: [], rows: {} })
    if (rules.lost === 'forget') return
    rows = []
    disk = save()
  }
  const restore = (): void => {
    if (!backup) return
    store = openStore(backup.state)
    index = createVersionIndex(backup.index)
    rows = []
    head = backup.head
    if (rules.restore === 'stamp') {
      head = handedOut + 1000
      index.restored(head)
    }
    backup = null
    disk = save()
  }
  // Joined into a new document, in the place of the old one.
  const fold = (): void => {
    store = openStore(Y.encodeStateAsUpdate(store.doc))
    index.integrate(++head, KEYS.map(snapshot))
    rows = []
    disk = save()
  }
  const tick = (): void => {
    if (rules.time && index.due(now).length > 0) push({ update: null, at: now })
  }

  // The devices.
  const devices = [openStore(), openStore(), openStore()]
  const upload = (device: Store): void => {
    const update = Y.encodeStateAsUpdate(device.doc, Y.encodeStateVector(store.doc))
    const before = Y.encodeStateAsUpdate(store.doc)
    const probe = new Y.Doc()
    Y.applyUpdate(probe, before)
    Y.applyUpdate(probe, update)
    // Bytes that change nothing get no row.
    if (!sameBytes(Y.encodeStateAsUpdate(probe), before)) push({ update, at: now })
  }
  const download = (device: Store): void =>
    Y.applyUpdate(device.doc, Y.encodeStateAsUpdate(store.doc, Y.encodeStateVector(device.doc)))
  const seqs: Record<ChannelKey, number> = {}
  const act = (): void => {
    const device = random.pick(devices)
    const key = random.pick(KEYS)
    ACTS[random.int(ACTS.length)]?.(device, key, {
      random,
      now,
      nextSeq: () => (seqs[key] = (seqs[key] ?? 0) + 1),
    })
    if (random.chance(0.7)) upload(device)
  }

  // The clients.
  const clients = Array.from(
    { length: 4 },
    (_, place): PollingClient => ({
      rows: new Map(),
      limit: random.pick([Number.POSITIVE_INFINITY, 1, 2, 3]),
      usesFilters: random.chance(0.5),
      listsDeleted: place === 0,
    }),
  )
  const poll = (client: PollingClient, isFinal: boolean): number => {
    let received = 0
    const filters =
      client.usesFilters && !isFinal
        ? {
            onlyUnread: random.chance(0.3),
            excludeTypes: random.chance(0.3) ? [random.pick([1, 2])] : [],
          }
        : {}
    for (let round = 0; round < 30; round++) {
      tick()
      const listed = [...client.rows].filter(([, { deleted }]) => !deleted || client.listsDeleted)
      const lastMsgSeqs = encodeLastMsgSeqs(
        listed.map(([key, { headSeq }]) => ({ channel: parseChannelKey(key), lastMsgSeq: headSeq })),
      )
      const isListed = new Set(listed.map(([key]) => key))
      const version = Math.max(0, ...[...client.rows.values()].map((row) => row.version))
      const answer = selectConversations(index, {
        version,
        held: readHeldSeqs(lastMsgSeqs, index),
        limit: client.limit,
        ...filters,
      })
      handedOut = Math.max(handedOut, head)
      for (const item of answer.items) {
        if (!rules.unlisted && version > 0 && item.version <= version && !isListed.has(item.key)) continue
        if (item.version > head) throw new Error('An answer names a version above the one it was taken at')
        const { conversation, headSeq } = shownOf(snapshot(item.key), index.time)
        const old = client.rows.get(item.key)
        // Whoever began anew meanwhile is told of a deletion once that means nothing to it.
        if (!item.deleted || (old && !old.deleted)) received++
        client.rows.set(item.key, {
          version: item.version,
          shown: conversation,
          headSeq,
          deleted: item.deleted,
        })
      }
      if (!answer.more) break
      if (isFinal) continue
      if (random.chance(0.15)) break
      if (random.chance(0.5)) act()
    }
    return received
  }
  const extras = { version: 0, drafts: new Map<ChannelKey, string>() }
  const pollExtras = (): void => {
    for (const { key, version } of selectExtras(index, extras.version)) {
      extras.drafts.set(key, snapshot(key).drafts.composer?.text ?? '')
      extras.version = Math.max(extras.version, version)
    }
    handedOut = Math.max(handedOut, head)
  }

  const reminders = { version: 0, open: new Map<ChannelKey, string>() }
  const pollReminders = (): void => {
    for (const { key, version } of selectReminders(index, reminders.version)) {
      reminders.open.set(key, openReminders(snapshot(key)))
      reminders.version = Math.max(reminders.version, version)
    }
    handedOut = Math.max(handedOut, head)
  }

  for (let step = 0; step < 120; step++) {
    now += random.int(30_000)
    const draw = random()
    if (draw < 0.55) act()
    else if (draw < 0.65) upload(random.pick(devices))
    else if (draw < 0.73) {
      const device = random.pick(devices)
      upload(device)
      download(device)
    } else if (draw < 0.88) poll(random.pick(clients), false)
    else if (draw < 0.9) pollExtras()
    else if (draw < 0.91) pollReminders()
    else if (draw < 0.94) disk = save()
    else if (draw < 0.96) restart()
    else if (draw < 0.965) fold()
    else if (draw < 0.97) loseIndex()
    else if (draw < 0.985) backup ??= save()
    else restore()
  }

  // All is quiet at last: everything is where it belongs, mutes are over, and everybody polls once more.
  for (let round = 0; round < 2; round++) {
    for (const device of devices) {
      upload(device)
      download(device)
    }
  }
  now += 10_000_000
  const problems: string[] = []
  for (const client of clients) {
    poll(client, true)
    if (poll(client, true) > 0) problems.push('a second poll is not empty')
    for (const key of KEYS) {
      const truth = shownOf(snapshot(key), now)
      const row = client.rows.get(key)
      if (truth.state === 'visible') {
        if (!row || row.deleted) problems.push(`${key} is missing`)
        else if (row.shown !== truth.conversation) problems.push(`${key} is stale`)
      } else if (row && !row.deleted) problems.push(`${key} is gone and still shown`)
    }
  }
  pollExtras()
  for (const key of KEYS) {
    const draft = snapshot(key).drafts.composer?.text ?? ''
    if ((extras.drafts.get(key) ?? '') !== draft) problems.push(`the draft of ${key} is stale`)
  }
  pollReminders()
  for (const key of KEYS) {
    if ((reminders.open.get(key) ?? '') !== openReminders(snapshot(key)))
      problems.push(`the reminders of ${key} are stale`)
  }
  return problems
}

function openReminders({ reminders }: Conversation): string {
  return reminders.flatMap(({ reminderId, done }) => (done ? [] : [reminderId])).join()
}

interface ActContext {
  readonly random: Random
  readonly now: number
  readonly nextSeq: () => number
}

/** What devices do. */
const ACTS: ReadonlyArray<(device: Store, key: ChannelKey, context: ActContext) => void> = [
  receive,
  receive,
  (device, key, { random }) => {
    const conversation = device.conversation(parseChannelKey(key))
    conversation.markRead(random.int(1 + (conversation.getSnapshot().lastMessage?.messageSeq ?? 0)))
  },
  (device, key) => device.conversation(parseChannelKey(key)).markRead(),
  (device, key) => device.conversation(parseChannelKey(key)).markUnread(),
  (device, key) => device.conversation(parseChannelKey(key)).delete(),
  (device, key) => device.conversation(parseChannelKey(key)).restore(),
  (device, key) => device.conversation(parseChannelKey(key)).archive(),
  (device, key) => device.conversation(parseChannelKey(key)).pin(),
  // A change that changes back.
  (device, key) => {
    device.conversation(parseChannelKey(key)).pin()
    device.conversation(parseChannelKey(key)).unpin()
  },
  (device, key, { random, now }) =>
    device
      .conversation(parseChannelKey(key))
      .mute(random.chance(0.2) ? MUTE_FOREVER : now + random.int(300_000)),
  (device, key) => device.conversation(parseChannelKey(key)).unmute(),
  draft,
  draft,
  // Backspaces: nothing but deletions.
  (device, key) => {
    const { draft } = device.conversation(parseChannelKey(key))
    if (draft.getSnapshot().composer) draft.set('')
  },
  (device, key) => device.conversation(parseChannelKey(key)).draft.clear(),
  (device, key, { random }) => device.conversation(parseChannelKey(key)).browseTo(random.int(9)),
  (device, key, { random }) => {
    const { setReminder, completeReminder } = device.conversation(parseChannelKey(key))
    const reminderId = String(random.int(3))
    if (random.chance(0.6)) setReminder({ reminderId, version: random.int(9) })
    else completeReminder(reminderId)
  },
  (device) => device.maintain(),
  (device) =>
    device.transact(() => {
      for (const key of KEYS) device.conversation(parseChannelKey(key)).markRead()
    }),
]

function receive(device: Store, key: ChannelKey, { random, nextSeq, now }: ActContext): void {
  device.receive({
    channel: parseChannelKey(key),
    messageSeq: nextSeq(),
    fromUid: random.chance(0.2) ? 'me' : 'bob',
    timestamp: now,
  })
}

function draft(device: Store, key: ChannelKey, { random }: ActContext): void {
  const { draft } = device.conversation(parseChannelKey(key))
  draft.set(`${draft.getSnapshot().composer?.text ?? ''}${random.int(9)}`)
  if (random.chance(0.5)) draft.leave()
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, place) => byte === b[place])
}
