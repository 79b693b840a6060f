import * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import type { EntryIndex, RegisterChange } from '../document/entryIndex.js'
import { draftRoot } from '../document/schema.js'
import type { HybridClock } from '../lattice/hlc.js'
import { finishingActs, readDraftFacts } from './draftFacts.js'
import {
  arrangeDrafts,
  type ComposerChoice,
  type DraftView,
  type KnownEpisode,
  NO_DRAFTS,
} from './draftView.js'
import { draftIdOf, draftSubject, type Episode, readEpisode } from './episode.js'

/** All drafts of a document, found by channel and by id, with what this device shows of them. */
export interface DraftBook {
  /** Reads what a transaction did to drafts; returns the channels whose drafts changed. */
  integrate: (transaction: Y.Transaction, changes: readonly RegisterChange[]) => ReadonlySet<ChannelKey>
  view: (channel: ChannelKey) => DraftView
  find: (ref: string) => KnownEpisode | null
  /** The drafts of one channel. */
  episodes: (channel: ChannelKey) => KnownEpisode[]
  /** Takes in a draft that was begun here, before its transaction has ended. */
  adopt: (episode: Episode) => KnownEpisode
  /** All drafts. */
  all: () => Iterable<KnownEpisode>
  /** What this device shows in the composer of a channel; `undefined` leaves it to the document. */
  choice: (channel: ChannelKey) => ComposerChoice | undefined
  choose: (channel: ChannelKey, choice: ComposerChoice | undefined) => void
  /** The drafts whose text a transaction has changed so far, but for those that began in it. */
  typedIn: (transaction: Y.Transaction) => Episode[]
  /** Remembers all choices; the returned function puts them back and returns the channels in which they differ. */
  takeCheckpoint: () => () => ChannelKey[]
  readonly channels: Iterable<ChannelKey>
}

/**
 * Creates the {@link DraftBook} of a document and reads what is in it already. `clock` is moved past the times in drafts and
 * in acts of sending, which no stamp shows: what is typed after them must have a later one, whatever the clocks say.
 */
export function createDraftBook(doc: Y.Doc, index: EntryIndex, clock: HybridClock): DraftBook {
  const root = draftRoot(doc)
  const byChannel = new Map<ChannelKey, Map<string, Episode>>()
  const byRef = new Map<string, Episode>()
  const byText = new Map<unknown, Episode>()
  /** The drafts that share an id: one, but for second copies. */
  const byId = new Map<string, Set<Episode>>()
  /** By `ref`, until the draft's text or registers change. Finished drafts pile up, and each keystroke asks for all. */
  const known = new Map<string, KnownEpisode>()
  const choices = new Map<ChannelKey, ComposerChoice>()
  const adopted = new Set<ChannelKey>()

  const readElements = (dirty: Set<ChannelKey>): void => {
    const begun: Episode[] = []
    let found = 0
    for (const element of root.toArray()) {
      if (element instanceof Y.Map && byText.has(element.get('text'))) found++
      else {
        const episode = readEpisode(element)
        if (episode) begun.push(episode)
      }
    }
    const ids = new Set(begun.map(({ id }) => id))
    if (found < byText.size || ids.size < begun.length || begun.some(({ id }) => byId.has(id))) {
      readElementsAnew(dirty)
      return
    }
    for (const episode of begun) {
      remember(episode)
      dirty.add(episode.channel)
    }
  }

  /** Reads all elements: which of several copies of a draft is the first may have changed. */
  const readElementsAnew = (dirty: Set<ChannelKey>): void => {
    const elements = root
      .toArray()
      .map((element) => ({ element, episode: readEpisode(element) }))
      .filter((entry): entry is { element: Y.Map<unknown>; episode: Episode } => entry.episode !== null)
      .sort((a, b) => compareItems(a.element, b.element))
    const shown = [...choices].map(([channel, choice]) => ({
      channel,
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
      dirty.add(episode.channel)
    }
    for (const [text, episode] of byText) {
      if (seen.has(text)) continue
      forget(episode)
      dirty.add(episode.channel)
    }
    // What is shown stays shown under another name, which it gets where a copy comes before it.
    for (const { channel, text } of shown) {
      const choice = choices.get(channel)
      const ref = byText.get(text)?.ref
      if (choice && ref !== undefined && choice.ref !== ref) choices.set(channel, { ...choice, ref })
    }
  }

  const remember = (episode: Episode): void => {
    clock.observe(episode.startedAt[0], episode.startedAt[1])
    byText.set(episode.text, episode)
    byRef.set(episode.ref, episode)
    known.delete(episode.ref)
    const sameId = byId.get(episode.id)
    if (sameId) sameId.add(episode)
    else byId.set(episode.id, new Set([episode]))
    const inChannel = byChannel.get(episode.channel)
    if (inChannel) inChannel.set(episode.ref, episode)
    else byChannel.set(episode.channel, new Map([[episode.ref, episode]]))
  }

  const forget = (episode: Episode | undefined): void => {
    if (!episode) return
    byText.delete(episode.text)
    if (byRef.get(episode.ref) === episode) byRef.delete(episode.ref)
    known.delete(episode.ref)
    const sameId = byId.get(episode.id)
    sameId?.delete(episode)
    if (sameId?.size === 0) byId.delete(episode.id)
    const inChannel = byChannel.get(episode.channel)
    // Its name may be another element's by now.
    if (inChannel?.get(episode.ref) === episode) inChannel.delete(episode.ref)
    if (inChannel?.size === 0) byChannel.delete(episode.channel)
  }

  const withFacts = (episode: Episode): KnownEpisode => {
    const same = known.get(episode.ref)
    if (same) return same
    const facts = readDraftFacts(index.registers(draftSubject(episode.id)))
    for (const { at } of facts.sends) clock.observe(at[0] as number, at[1] as number)
    const fresh = { episode, facts }
    known.set(episode.ref, fresh)
    return fresh
  }

  const episodes = (channel: ChannelKey): KnownEpisode[] =>
    // A draft before its copies: the copies begin with its id.
    [...(byChannel.get(channel)?.values() ?? [])].sort((a, b) => (a.ref < b.ref ? -1 : 1)).map(withFacts)

  readElements(new Set())

  return {
    integrate(transaction, changes) {
      const dirty = new Set(adopted)
      adopted.clear()
      for (const type of transaction.changed.keys()) {
        if (type === (root as unknown)) readElements(dirty)
        const episode = byText.get(type)
        if (!episode) continue
        known.delete(episode.ref)
        dirty.add(episode.channel)
      }
      for (const { subject } of changes) {
        const id = draftIdOf(subject)
        for (const episode of (id !== null && byId.get(id)) || []) {
          known.delete(episode.ref)
          dirty.add(episode.channel)
        }
      }
      for (const channel of dirty) {
        const choice = choices.get(channel)
        const shown = choice?.ref == null ? null : byRef.get(choice.ref)
        // What was shown and is finished, is shown no more; while the user types, nothing takes its place.
        if (choice?.ref != null && (!shown || finishingActs(withFacts(shown).facts).length > 0)) {
          if (!choice.held) choices.delete(channel)
        }
      }
      return dirty
    },
    view: (channel) =>
      byChannel.has(channel) ? arrangeDrafts(episodes(channel), choices.get(channel)) : NO_DRAFTS,
    find(ref) {
      const episode = byRef.get(ref)
      return episode ? withFacts(episode) : null
    },
    episodes,
    adopt(episode) {
      remember(episode)
      adopted.add(episode.channel)
      return withFacts(episode)
    },
    *all() {
      for (const episode of byRef.values()) yield withFacts(episode)
    },
    choice: (channel) => choices.get(channel),
    choose(channel, choice) {
      if (choice) choices.set(channel, choice)
      else choices.delete(channel)
    },
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
      return () => {
        const channels = new Set([...before.keys(), ...choices.keys()])
        const differing = [...channels].filter((channel) => choices.get(channel) !== before.get(channel))
        choices.clear()
        for (const [channel, choice] of before) choices.set(channel, choice)
        return differing
      }
    },
    get channels() {
      return byChannel.keys()
    },
  }
}

function compareItems(a: Y.Map<unknown>, b: Y.Map<unknown>): number {
  const [x, y] = [a._item?.id, b._item?.id]
  return x && y ? x.client - y.client || x.clock - y.clock : 0
}
