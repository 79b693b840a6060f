import type * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import type { EntryIndex, RegisterChange } from '../document/entryIndex.js'
import { draftRoot } from '../document/schema.js'
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
  readonly channels: Iterable<ChannelKey>
}

/** Creates the {@link DraftBook} of a document and reads what is in it already. */
export function createDraftBook(doc: Y.Doc, index: EntryIndex): DraftBook {
  const root = draftRoot(doc)
  const byChannel = new Map<ChannelKey, Map<string, Episode>>()
  const byRef = new Map<string, Episode>()
  const byText = new Map<unknown, Episode>()
  const choices = new Map<ChannelKey, ComposerChoice>()
  const adopted = new Set<ChannelKey>()

  /** Reads the elements anew: a draft is begun far less often than it is typed in. */
  const readElements = (dirty: Set<ChannelKey>): void => {
    const elements = root
      .toArray()
      .map((element) => ({ element, episode: readEpisode(element) }))
      .filter((entry): entry is { element: Y.Map<unknown>; episode: Episode } => entry.episode !== null)
      .sort((a, b) => compareItems(a.element, b.element))
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
  }

  const remember = (episode: Episode): void => {
    byText.set(episode.text, episode)
    byRef.set(episode.ref, episode)
    const inChannel = byChannel.get(episode.channel)
    if (inChannel) inChannel.set(episode.ref, episode)
    else byChannel.set(episode.channel, new Map([[episode.ref, episode]]))
  }

  const forget = (episode: Episode | undefined): void => {
    if (!episode) return
    byText.delete(episode.text)
    if (byRef.get(episode.ref) === episode) byRef.delete(episode.ref)
    byChannel.get(episode.channel)?.delete(episode.ref)
  }

  const withFacts = (episode: Episode): KnownEpisode => ({
    episode,
    facts: readDraftFacts(index.registers(draftSubject(episode.id))),
  })

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
        if (episode) dirty.add(episode.channel)
      }
      for (const { subject } of changes) {
        const id = draftIdOf(subject)
        const episode = id === null ? undefined : byRef.get(id)
        if (episode) dirty.add(episode.channel)
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
    get channels() {
      return byChannel.keys()
    },
  }
}

function compareItems(a: Y.Map<unknown>, b: Y.Map<unknown>): number {
  const [x, y] = [a._item?.id, b._item?.id]
  return x && y ? x.client - y.client || x.clock - y.clock : 0
}
