import * as Y from 'yjs'
import { digestDocument, isSameHash, type StateDigest } from '../digest/documentDigest.js'
import { createEntryLog } from '../document/entryLog.js'
import { entryRoots } from '../document/schema.js'
import { onTransaction } from '../document/updates.js'
import type { DraftContent } from '../drafts/content.js'
import { compareEntries, decodeEntry, type Entry, encodeEntry } from '../lattice/entry.js'
import { createHybridClock } from '../lattice/hlc.js'
import { isValidEntry } from '../lattice/registers.js'
import { createStore } from '../store/createStore.js'
import type { ExportedConversation, ExportedState } from '../store/exportState.js'
import { type Act, charactersOf } from './truth.js'
import { USER_ID, type World } from './world.js'

/** What must hold when all replicas of a history have synced. Returns what is wrong, nothing if all is well. */
export type Invariant = (world: World, state: ExportedState) => string[]

/** The invariants of every history. Add to them to demand more. */
export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'every replica exports the same': (world, state) => {
    const expected = JSON.stringify(state)
    return world.devices
      .filter(({ store }) => JSON.stringify(store.export()) !== expected)
      .map(({ name }) => `${name} differs from the server`)
  },

  'every replica computes the same digest': (world) => {
    const expected = digestDocument(world.server.doc)
    return world.devices.flatMap(({ name, store }) => {
      const digest = store.digest.step(Number.POSITIVE_INFINITY)
      const fresh = digestDocument(store.doc)
      const isSame = (a: StateDigest | null, b: StateDigest): boolean =>
        a !== null && isSameHash(a.vector, b.vector) && isSameHash(a.state, b.state)
      return [
        ...(isSame(digest, fresh) ? [] : [`the digest that ${name} kept is not that of its document`]),
        ...(isSame(fresh, expected) ? [] : [`a false alarm in ${name}`]),
      ]
    })
  },

  'a view that was updated equals one that is built anew': (world) =>
    world.devices.flatMap(({ name, store }) => {
      const fresh = loadCopy(store.doc)
      const problems: string[] = []
      if (JSON.stringify(fresh.export()) !== JSON.stringify(store.export()))
        problems.push(`export of ${name}`)
      const listed = (from: typeof store) =>
        JSON.stringify(
          from
            .list({ archived: 'any' })
            .getSnapshot()
            .conversations.map(({ key, unread, activeAt, drafts }) => [
              key,
              unread,
              // Which draft is in the composer is this device's choice, and its time sorts the list.
              drafts.composer === null && drafts.others.length === 0 ? activeAt : 0,
            ])
            .sort(),
        )
      const unfinished = (from: typeof store) => JSON.stringify(from.drafts.getSnapshot())
      if (unfinished(fresh) !== unfinished(store)) problems.push(`unfinished drafts of ${name}`)
      if (listed(fresh) !== listed(store)) problems.push(`list of ${name}`)
      return problems
    }),

  'no register falls below its greatest surviving entry': (world) => {
    const greatest = greatestEntries(world.server.doc)
    return world.truth.entries
      .filter(({ lost, entry }) => !lost && isValidEntry(entry.register, entry.stamp))
      .filter(({ entry }) => {
        const winner = greatest.get(registerName(entry))
        return !winner || compareEntries(winner, entry) < 0
      })
      .map(({ entry }) => encodeEntry(entry))
  },

  'no replica has lost a surviving entry': (world) =>
    world.devices
      .filter(({ store }) => store.intake.heldCount > 0)
      .map(({ name, store }) => `${name} still holds ${store.intake.heldCount} updates back`),

  'no newer message is hidden, no deleted one shows again': (world, state) =>
    state.conversations.flatMap((conversation) => {
      const deletes = world.truth.entries.filter(
        ({ entry }) => entry.subject === keyOf(conversation) && entry.register.startsWith('deleted.'),
      )
      const ever = Math.max(-1, ...deletes.map(({ entry }) => deletedTo(entry)))
      const surviving = deletes.filter(({ lost }) => !lost).map(({ entry }) => entry)
      const undoings = new Set(surviving.filter(({ stamp }) => stamp[3] === 1).map(actName))
      const acts = surviving.filter(({ stamp }) => stamp[3] === 0)
      const undone = acts.filter((act) => undoings.has(actName(act)))
      // Who deletes twice what is deleted already, and takes that back, takes both back.
      const isUndone = (act: Entry): boolean =>
        undone.some(
          (other) =>
            other.register === act.register &&
            deletedTo(other) === deletedTo(act) &&
            compareEntries(act, other) <= 0,
        )
      const standing = Math.max(-1, ...acts.filter((act) => !isUndone(act)).map(deletedTo))
      const head = conversation.lastMessage?.messageSeq ?? 0
      if (head > ever && head > 0 && conversation.hidden) return [`message ${head} is hidden`]
      if (conversation.deletedTo < standing)
        return [`deleted to ${standing}, shown from ${conversation.deletedTo}`]
      return []
    }),

  'no unread mark is lost to a read that had not seen it, none comes back': (world, state) =>
    state.conversations.flatMap((conversation) => {
      const marks = world.truth.entries.filter(
        ({ entry, lost }) =>
          !lost && entry.subject === keyOf(conversation) && entry.register.startsWith('unreadMark.'),
      )
      const removed = new Set(
        marks.filter(({ entry }) => entry.stamp[3] === 1).map(({ entry }) => actName(entry)),
      )
      const latest = new Map<string, Entry>()
      for (const { entry } of marks) {
        const known = latest.get(entry.register)
        if (!known || compareEntries(known, entry) < 0) latest.set(entry.register, entry)
      }
      const standing = [...latest.values()].some((entry) => !removed.has(actName(entry)))
      return standing === conversation.markedUnread
        ? []
        : [`marked ${conversation.markedUnread}, should be ${standing}`]
    }),

  'the badge counts what a list of all messages would': (world, state) =>
    state.conversations.flatMap((conversation) => {
      const { readSeq, ownSeq, deletedTo, joinSeq, provided, markedUnread, unread, lastMessage } =
        conversation
      const head = lastMessage?.messageSeq ?? 0
      const silent = new Set(
        world.truth.silent
          .filter(({ lost, detail }) => !lost && detail.channel === keyOf(conversation))
          .map(({ detail }) => detail.seq),
      )
      const loudAbove = (seq: number) => {
        let count = 0
        for (let message = seq + 1; message <= head; message++) if (!silent.has(message)) count++
        return count
      }
      let expected = loudAbove(Math.max(readSeq, ownSeq, deletedTo, joinSeq - 1, 0))
      if (provided && provided.lastMsgSeq <= head) {
        expected = Math.min(expected, provided.unread + loudAbove(provided.lastMsgSeq))
      }
      if (markedUnread) expected = Math.max(1, expected)
      return unread === expected ? [] : [`${keyOf(conversation)} shows ${unread}, should show ${expected}`]
    }),

  'nothing that was typed, attached, mentioned or replied to is gone, unless a user sent, cleared or deleted it':
    (world, state) => {
      const shown = contentsOf(state).map(charactersOf).join('')
      const done = doneActs(world)
        .map(({ detail }) => detail.text)
        .join('')
      return [...world.truth.typed]
        .filter(
          ([character, { lost, deleted, replyOf }]) =>
            !lost &&
            !deleted &&
            !shown.includes(character) &&
            !done.includes(character) &&
            !(replyOf !== undefined && isOtherReply(world, replyOf, character)),
        )
        .map(([character, { device }]) => `${character} of ${device}`)
    },

  'what is unfinished is listed, unless a later deletion hides it': (world, state) =>
    state.conversations.flatMap((conversation) => {
      const times = [conversation.drafts, ...conversation.drafts.edits].flatMap(
        ({ composer, others, recovered, sending }) => [
          ...[composer, ...others, ...recovered].flatMap((draft) => draft?.editedAt ?? []),
          ...sending.map(({ sentAt }) => sentAt),
        ],
      )
      if (!conversation.hidden || times.length === 0) return []
      const deletedAt = [...greatestEntries(world.server.doc).values()]
        .filter(({ subject, register }) => subject === keyOf(conversation) && register.startsWith('deleted.'))
        .filter(({ stamp }) => stamp[3] === 0)
        .map(({ stamp }) => stamp[0] as number)
      const isHidden = Math.max(0, ...deletedAt) >= Math.max(...times)
      return isHidden ? [] : [`${keyOf(conversation)} is hidden`]
    }),

  'all that is unfinished is in one list': (world, state) => {
    const list = loadCopy(world.server.doc)
      .drafts.getSnapshot()
      .map(({ draft }) => charactersOf(draft))
    const shown = contentsOf(state).map(charactersOf)
    return JSON.stringify(list.sort()) === JSON.stringify(shown.sort()) ? [] : ['they differ']
  },

  'nothing that was sent or cleared is live again': (world, state) => {
    const live = new Set(
      state.conversations.flatMap(({ drafts }) =>
        [drafts, ...drafts.edits].flatMap(({ composer, others }) =>
          [composer, ...others].map((draft) => draft?.draftId),
        ),
      ),
    )
    return doneActs(world)
      .filter(({ detail }) => live.has(detail.draftId))
      .map(({ detail }) => `${detail.draftId} is live`)
  },

  'what was sent is not offered as recovered': (world, state) => {
    const recovered = state.conversations.flatMap(({ drafts }) =>
      [drafts, ...drafts.edits].flatMap((place) => place.recovered),
    )
    return doneActs(world)
      .filter(({ detail }) =>
        recovered.some(
          (draft) =>
            draft.draftId === detail.draftId &&
            [...charactersOf(draft)].some((character) => detail.text.includes(character)),
        ),
      )
      .map(({ detail }) => `${detail.text} is offered again`)
  },

  'one more write of each register leaves one entry': (world) => {
    const doc = copyOf(world.server.doc)
    const log = createEntryLog(doc, createHybridClock({ now: () => world.now, random: world.random }))
    const stop = onTransaction(doc, log.integrate, (error) => {
      throw error
    })
    doc.transact(() =>
      log.append([...greatestEntries(doc).values()].map((entry) => encodeEntry(greaterThan(entry)))),
    )
    doc.transact(() => log.sweep())
    stop()
    const counts = new Map<string, number>()
    for (const entry of entriesIn(doc))
      counts.set(registerName(entry), (counts.get(registerName(entry)) ?? 0) + 1)
    return [...counts].filter(([, count]) => count > 1).map(([name, count]) => `${name} has ${count}`)
  },
}

/** Checks all invariants; each problem begins with the name of the invariant. */
export function checkInvariants(
  world: World,
  invariants: Readonly<Record<string, Invariant>> = INVARIANTS,
): string[] {
  const state = loadCopy(world.server.doc).export()
  return Object.entries(invariants).flatMap(([name, invariant]) =>
    invariant(world, state).map((problem) => `${name}: ${problem}`),
  )
}

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

function loadCopy(doc: Y.Doc) {
  return createStore({
    userId: USER_ID,
    doc: copyOf(doc),
    environment: { schedule: () => () => {}, now: () => 0 },
  })
}

function* entriesIn(doc: Y.Doc): Generator<Entry> {
  for (const root of entryRoots(doc)) {
    for (const line of root.toArray()) {
      const entry = decodeEntry(line)
      if (entry) yield entry
    }
  }
}

function greatestEntries(doc: Y.Doc): Map<string, Entry> {
  const greatest = new Map<string, Entry>()
  for (const entry of entriesIn(doc)) {
    const known = greatest.get(registerName(entry))
    if (!known || compareEntries(known, entry) < 0) greatest.set(registerName(entry), entry)
  }
  return greatest
}

/** An entry of the same register that is greater: by its stamp, or by a value behind all JSON where no stamp is. */
function greaterThan({ subject, register, stamp, value }: Entry): Entry {
  const greater = [...stamp]
  if (typeof greater[0] === 'number') greater[0]++
  return isValidEntry(register, greater)
    ? { subject, register, stamp: greater, value }
    : { subject, register, stamp, value: `~${value}` }
}

function registerName({ subject, register }: Entry): string {
  return `${subject}\n${register}`
}

function actName({ register, stamp }: Entry): string {
  return `${register}\n${stamp.slice(0, 3).join()}`
}

function keyOf({ channel }: ExportedConversation): string {
  return `${channel.channelType}:${channel.channelId}`
}

function deletedTo({ value }: Entry): number {
  return JSON.parse(value).toSeq
}

/** Everything unfinished in a state. */
function contentsOf(state: ExportedState): DraftContent[] {
  return state.conversations.flatMap(({ drafts }) =>
    [drafts, ...drafts.edits].flatMap(({ composer, others, recovered, sending }) => [
      ...(composer ? [composer] : []),
      ...others,
      ...recovered,
      ...sending,
    ]),
  )
}

/** True if another reply of the same draft counts: it was chosen later, on a device that may not have seen this one. */
function isOtherReply({ truth }: World, draftId: string, character: string): boolean {
  let last: Entry | null = null
  for (const { entry, lost } of truth.entries) {
    if (lost || entry.subject !== `d:${draftId}` || entry.register !== 'reply') continue
    if (!last || compareEntries(last, entry) < 0) last = entry
  }
  return last !== null && !last.value.includes(character)
}

/** What users sent, without failing, or cleared, as far as the act itself survived. */
function doneActs({ truth }: World): Array<Act<{ readonly draftId: string; readonly text: string }>> {
  // Two devices that send the same text of the same draft send the same submission. A report that was lost leaves it pending.
  const reported = (outcome: string): Set<string> =>
    new Set(
      truth.sends
        .filter(({ detail }) => detail.outcome === outcome && detail.reported?.lost === false)
        .map(({ detail }) => detail.submissionId),
    )
  const failed = reported('failed')
  const acknowledged = reported('acknowledged')
  const sent = truth.sends.filter(
    ({ lost, detail }) =>
      !lost && (!failed.has(detail.submissionId) || acknowledged.has(detail.submissionId)),
  )
  return [...sent, ...truth.clears.filter(({ lost }) => !lost)]
}
