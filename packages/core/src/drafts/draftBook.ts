import * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import type { EntryIndex, RegisterChange } from '../document/entryIndex.js'
import { draftRoot } from '../document/schema.js'
import type { Entry } from '../lattice/entry.js'
import type { HybridClock } from '../lattice/hlc.js'
import { compareStamps, type Stamp } from '../lattice/stamp.js'
import { finishingActs, isSettingAside, readDraftFacts } from './draftFacts.js'
import {
  type ArrangedDrafts,
  arrangeDrafts,
  type ComposerChoice,
  type DraftView,
  type KnownEpisode,
  type MessageEdit,
  NO_DRAFTS,
  NO_PLACE_DRAFTS,
  type PlaceDrafts,
} from './draftView.js'
import { draftIdOf, draftSubject, type Episode, readEpisode } from './episode.js'
import { channelOf, type DraftPlace, parsePlace } from './place.js'

/** The drafts of one conversation, arranged. */
export interface ConversationDrafts {
  readonly view: DraftView
  /** When the newest of what is unfinished was edited or sent; `null` if there is nothing. */
  readonly newest: Stamp | null
  /** When the composer was last left with what is in it, in milliseconds since 1970; 0 if never. */
  readonly leftAt: number
}

/** All drafts of a document, found by place and by id, with what this device shows of them. */
export interface DraftBook {
  /** Reads what a transaction did to drafts; returns the places whose drafts changed. */
  integrate: (transaction: Y.Transaction, changes: readonly RegisterChange[]) => ReadonlySet<DraftPlace>
  /** The drafts of one place as this device shows them, or, with `shared`, as the document has them. */
  place: (place: DraftPlace, how?: 'shared') => PlaceDrafts
  /** All drafts of a conversation, those that edit messages included. */
  conversation: (channel: ChannelKey, how?: 'shared') => ConversationDrafts
  find: (ref: string) => KnownEpisode | null
  /** The place where a draft of this id is written, `null` if none is known. */
  placeOf: (id: string) => DraftPlace | null
  /** Takes in a draft that was begun here, before its transaction has ended. */
  adopt: (episode: Episode) => KnownEpisode
  /** All drafts. */
  all: () => Iterable<KnownEpisode>
  /** What this device shows in a place; `undefined` leaves it to the document. */
  choice: (place: DraftPlace) => ComposerChoice | undefined
  choose: (place: DraftPlace, choice: ComposerChoice | undefined) => void
  /** Begins a transaction: choices count as made in it from now on. */
  beginChoosing: () => void
  /** True if this device chose what a place shows since the transaction began. */
  isChosenNow: (place: DraftPlace) => boolean
  /** The places of a conversation in which the user types. */
  heldPlaces: (channel: ChannelKey) => DraftPlace[]
  /** The drafts whose text a transaction has changed so far, but for those that began in it. */
  typedIn: (transaction: Y.Transaction) => Episode[]
  /** Remembers all choices; the returned function puts them back and returns the channels in which they differ. */
  takeCheckpoint: () => () => ChannelKey[]
  readonly channels: Iterable<ChannelKey>
}

/** The drafts of one place. */
interface Shelf {
  /** How many there are. */
  drafts: number
  /** Those of which something may be left, by `ref`. What is over does not count: a conversation has thousands in time. */
  readonly active: Map<string, Episode>
  /** When one that is over was last sent or cleared. */
  finished: Stamp
  /** As this device shows them; `null` after a change. */
  arranged: ArrangedDrafts | null
}

/** Entries that are written in a transaction that has not ended. */
export type PendingEntries = (subject: string) => Iterable<Entry> | undefined

/**
 * Creates the {@link DraftBook} of a document and reads what is in it already. `clock` is moved past the times in drafts and
 * in acts of sending, which no stamp shows: what is typed after them must have a later one, whatever the clocks say.
 */
export function createDraftBook(
  doc: Y.Doc,
  index: EntryIndex,
  clock: HybridClock,
  pendingEntries: PendingEntries = () => undefined,
): DraftBook {
  const root = draftRoot(doc)
  const shelves = new Map<DraftPlace, Shelf>()
  /** The places of each conversation in which something was ever typed. */
  const places = new Map<ChannelKey, Set<DraftPlace>>()
  const byRef = new Map<string, Episode>()
  const byText = new Map<unknown, Episode>()
  /** The drafts that share an id: one, but for second copies. */
  const byId = new Map<string, Set<Episode>>()
  /** By `ref`, until the draft's text or registers change. */
  const known = new Map<string, KnownEpisode>()
  const choices = new Map<DraftPlace, ComposerChoice>()
  let chosenNow = new Set<DraftPlace>()
  const adopted = new Set<Episode>()

  /** Reads the elements that a transaction inserted. */
  const readInserted = (transaction: Y.Transaction, dirty: Set<DraftPlace>): void => {
    const inserted = insertedElements(transaction, root)
    const begun = inserted.map(readEpisode).filter((episode) => episode !== null)
    const isKnown = ({ id, text }: Episode): boolean => byId.has(id) && !byText.has(text)
    const ids = new Set(begun.map(({ id }) => id))
    if (ids.size < begun.length || begun.some(isKnown) || hasDeletions(transaction, root)) {
      readElementsAnew(dirty)
      return
    }
    for (const episode of begun) {
      // One that was begun here is known already.
      if (!byText.has(episode.text)) remember(episode)
      dirty.add(episode.place)
    }
  }

  /** Reads all elements: which of several copies of a draft is the first may have changed. */
  const readElementsAnew = (dirty: Set<DraftPlace>): void => {
    const elements = root
      .toArray()
      .map((element) => ({ element, episode: readEpisode(element) }))
      .filter((entry): entry is { element: Y.Map<unknown>; episode: Episode } => entry.episode !== null)
      .sort((a, b) => compareItems(a.element, b.element))
    const shown = [...choices].map(([place, choice]) => ({
      place,
      text: choice.ref === null ? undefined : byRef.get(choice.ref)?.text,
    }))
    const seen = new Set<unknown>()
    const ids = new Set<string>()
    for (const { element, episode } of elements) {
      seen.add(episode.text)
      const item = element._item?.id
      const ref = ids.has(episode.id) ? `${episode.id}~${item?.client}~${item?.clock}` : episode.id
      ids.add(episode.id)
      if (byText.get(episode.text)?.ref === ref) continue
      forget(byText.get(episode.text))
      remember({ ...episode, ref })
      dirty.add(episode.place)
    }
    for (const [text, episode] of byText) {
      if (seen.has(text)) continue
      forget(episode)
      dirty.add(episode.place)
    }
    // What is shown stays shown under another name, which it gets where a copy comes before it.
    for (const { place, text } of shown) {
      const choice = choices.get(place)
      const ref = byText.get(text)?.ref
      if (choice && ref !== undefined && choice.ref !== ref) choices.set(place, { ...choice, ref })
    }
  }

  const remember = (episode: Episode): void => {
    clock.observe(episode.startedAt[0], episode.startedAt[1])
    byText.set(episode.text, episode)
    byRef.set(episode.ref, episode)
    const sameId = byId.get(episode.id)
    if (sameId) sameId.add(episode)
    else byId.set(episode.id, new Set([episode]))
    const inChannel = places.get(episode.channel)
    if (inChannel) inChannel.add(episode.place)
    else places.set(episode.channel, new Set([episode.place]))
    const shelf = touch(episode)
    shelf.drafts++
  }

  const forget = (episode: Episode | undefined): void => {
    if (!episode) return
    byText.delete(episode.text)
    if (byRef.get(episode.ref) === episode) byRef.delete(episode.ref)
    known.delete(episode.ref)
    const sameId = byId.get(episode.id)
    sameId?.delete(episode)
    if (sameId?.size === 0) byId.delete(episode.id)
    const shelf = shelves.get(episode.place)
    if (!shelf) return
    // Its name may be another element's by now.
    if (shelf.active.get(episode.ref) === episode) shelf.active.delete(episode.ref)
    shelf.arranged = null
    shelf.drafts--
    if (shelf.drafts > 0) return
    shelves.delete(episode.place)
    const inChannel = places.get(episode.channel)
    inChannel?.delete(episode.place)
    if (inChannel?.size === 0) places.delete(episode.channel)
  }

  /** Notes that a draft's text or registers changed. */
  const touch = (episode: Episode): Shelf => {
    known.delete(episode.ref)
    let shelf = shelves.get(episode.place)
    if (!shelf) {
      shelf = { drafts: 0, active: new Map(), finished: NEVER, arranged: null }
      shelves.set(episode.place, shelf)
    }
    shelf.active.set(episode.ref, episode)
    shelf.arranged = null
    return shelf
  }

  const withFacts = (episode: Episode): KnownEpisode => {
    const subject = draftSubject(episode.id)
    const pending = pendingEntries(subject)
    if (pending) {
      // What this transaction writes is not in the index yet, and must not be remembered before it is.
      const registers = new Map<string, Pick<Entry, 'register' | 'stamp' | 'value'>>()
      for (const entry of index.registers(subject)) registers.set(entry.register, entry)
      for (const entry of pending) registers.set(entry.register, entry)
      return { episode, facts: readDraftFacts(registers.values()) }
    }
    const same = known.get(episode.ref)
    if (same) return same
    const facts = readDraftFacts(index.registers(subject))
    for (const { at } of facts.sends) clock.observe(at[0] as number, at[1] as number)
    const fresh = { episode, facts }
    known.set(episode.ref, fresh)
    return fresh
  }

  const episodes = (shelf: Shelf): KnownEpisode[] =>
    // A draft before its copies: the copies begin with its id.
    [...shelf.active.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1)).map(withFacts)

  const arrange = (place: DraftPlace, how?: 'shared'): ArrangedDrafts | null => {
    const shelf = shelves.get(place)
    if (!shelf) return null
    if (how === 'shared') return arrangeDrafts(episodes(shelf), shelf.finished)
    if (shelf.arranged) return shelf.arranged
    const arranged = arrangeDrafts(episodes(shelf), shelf.finished, choices.get(place))
    // What is being written may still be rolled back.
    for (const { id } of shelf.active.values()) if (pendingEntries(draftSubject(id))) return arranged
    if (arranged.settled.length > 0) shelf.finished = finishedAt(shelf, arranged)
    for (const { ref } of arranged.settled) shelf.active.delete(ref)
    shelf.arranged = arranged
    return arranged
  }

  /** When the last of the drafts that are over was finished. */
  const finishedAt = ({ finished }: Shelf, { settled }: ArrangedDrafts): Stamp => {
    let last = finished
    for (const episode of settled) {
      for (const act of finishingActs(withFacts(episode).facts)) {
        if (!isSettingAside(act) && compareStamps(act.at, last) > 0) last = act.at
      }
    }
    return last
  }

  readElementsAnew(new Set())

  return {
    integrate(transaction, changes) {
      const dirty = new Set<DraftPlace>()
      for (const episode of adopted) {
        // What was typed into it after it began shows in no event.
        if (byText.get(episode.text) === episode) touch(episode)
        dirty.add(episode.place)
      }
      adopted.clear()
      for (const type of transaction.changed.keys()) {
        if (type === (root as unknown)) readInserted(transaction, dirty)
        const episode = byText.get(type)
        if (!episode) continue
        touch(episode)
        dirty.add(episode.place)
      }
      for (const { subject } of changes) {
        const id = draftIdOf(subject)
        for (const episode of (id !== null && byId.get(id)) || []) {
          touch(episode)
          dirty.add(episode.place)
        }
      }
      for (const place of dirty) {
        const shelf = shelves.get(place)
        if (shelf) shelf.arranged = null
        const choice = choices.get(place)
        const shown = choice?.ref == null ? null : byRef.get(choice.ref)
        // What was shown and is finished, is shown no more; while the user types, nothing takes its place.
        if (choice?.ref != null && (!shown || finishingActs(withFacts(shown).facts).length > 0)) {
          if (!choice.held) choices.delete(place)
        }
      }
      return dirty
    },
    place: (place, how) => arrange(place, how)?.view ?? NO_PLACE_DRAFTS,
    conversation(channel, how) {
      const inChannel = places.get(channel)
      if (!inChannel) return NOTHING_TYPED
      const composer = arrange(channel, how)
      const edits: MessageEdit[] = []
      let newest = composer?.newest ?? null
      for (const place of inChannel) {
        const messageSeq = parsePlace(place)?.messageSeq ?? null
        const arranged = messageSeq === null ? null : arrange(place, how)
        if (messageSeq === null || !arranged || arranged.view === NO_PLACE_DRAFTS) continue
        edits.push({ messageSeq, ...arranged.view })
        if (arranged.newest && compareStamps(arranged.newest, newest ?? NEVER) > 0) newest = arranged.newest
      }
      const view = composer?.view ?? NO_PLACE_DRAFTS
      if (view === NO_PLACE_DRAFTS && edits.length === 0) return NOTHING_TYPED
      const shown = view.composer && byRef.get(view.composer.draftId)
      const left = (shown && withFacts(shown).facts.leftAt?.[0]) ?? 0
      return {
        view: { ...view, edits: edits.sort((a, b) => a.messageSeq - b.messageSeq) },
        newest,
        leftAt: left as number,
      }
    },
    find(ref) {
      const episode = byRef.get(ref)
      return episode ? withFacts(episode) : null
    },
    placeOf: (id) => byRef.get(id)?.place ?? null,
    adopt(episode) {
      remember(episode)
      adopted.add(episode)
      return withFacts(episode)
    },
    *all() {
      for (const episode of byRef.values()) yield withFacts(episode)
    },
    choice: (place) => choices.get(place),
    beginChoosing: () => chosenNow.clear(),
    isChosenNow: (place) => chosenNow.has(place),
    choose(place, choice) {
      chosenNow.add(place)
      if (choice) choices.set(place, choice)
      else choices.delete(place)
      const shelf = shelves.get(place)
      if (shelf) shelf.arranged = null
    },
    heldPlaces: (channel) => [...(places.get(channel) ?? [])].filter((place) => choices.get(place)?.held),
    typedIn(transaction) {
      const typedIn: Episode[] = []
      for (const type of transaction.changed.keys()) {
        const episode = byText.get(type)
        if (episode) typedIn.push(episode)
      }
      return typedIn
    },
    takeCheckpoint() {
      const before = new Map(choices)
      const chosenBefore = new Set(chosenNow)
      return () => {
        chosenNow = chosenBefore
        const differing = [...new Set([...before.keys(), ...choices.keys()])].filter(
          (place) => choices.get(place) !== before.get(place),
        )
        choices.clear()
        for (const [place, choice] of before) choices.set(place, choice)
        for (const place of differing) {
          const shelf = shelves.get(place)
          if (shelf) shelf.arranged = null
        }
        return differing.map(channelOf)
      }
    },
    get channels() {
      return places.keys()
    },
  }
}

const NEVER: Stamp = []

const NOTHING_TYPED: ConversationDrafts = { view: NO_DRAFTS, newest: null, leftAt: 0 }

function insertedElements({ doc, beforeState, afterState }: Y.Transaction, root: unknown): unknown[] {
  const elements: unknown[] = []
  for (const [client, after] of afterState) {
    const before = beforeState.get(client) ?? 0
    const structs = doc.store.clients.get(client)
    if (!structs || after <= before) continue
    for (let i = Y.findIndexSS(structs, before); i < structs.length; i++) {
      const struct = structs[i]
      if (!(struct instanceof Y.Item) || struct.deleted || struct.parent !== root) continue
      if (struct.content instanceof Y.ContentType) elements.push(struct.content.type)
    }
  }
  return elements
}

function hasDeletions(transaction: Y.Transaction, root: unknown): boolean {
  let found = false
  if (transaction.deleteSet.clients.size === 0) return false
  Y.iterateDeletedStructs(transaction, transaction.deleteSet, (struct) => {
    if (struct instanceof Y.Item && struct.parent === root) found = true
  })
  return found
}

function compareItems(a: Y.Map<unknown>, b: Y.Map<unknown>): number {
  const [x, y] = [a._item?.id, b._item?.id]
  return x && y ? x.client - y.client || x.clock - y.clock : 0
}
