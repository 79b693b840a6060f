import { type Channel, type ChannelKey, parseChannelKey } from '../conversation/channel.js'
import type { Conversation } from '../conversation/conversation.js'
import { createEmitter } from '../emitter.js'
import { compareText } from '../lattice/stamp.js'
import type { DraftBook } from './draftBook.js'
import type { DraftText, PendingSend, PlaceDrafts, RecoveredDraft } from './draftView.js'

/** One thing that a user began and that is neither sent, cleared nor deleted. */
export type UnfinishedDraft = UnfinishedWhere &
  (
    | {
        /** `draft` is in the composer or beside it; `failed` is one whose sending failed. */
        readonly kind: 'draft' | 'failed'
        readonly draft: DraftText
      }
    | { readonly kind: 'recovered'; readonly draft: RecoveredDraft }
    | { readonly kind: 'sending'; readonly draft: PendingSend }
  )

/** Where something unfinished is. */
export interface UnfinishedWhere {
  readonly key: ChannelKey
  readonly channel: Channel
  /** True if the conversation is not in any list. */
  readonly hidden: boolean
  /** The message that it edits; `null` for a message that is new. */
  readonly messageSeq: number | null
}

/** The live list behind `store.drafts`. */
export interface UnfinishedDrafts {
  getSnapshot: () => readonly UnfinishedDraft[]
  subscribe: (listener: () => void) => () => void
  /** True once the list was asked for: from then on it must be kept up to date. */
  readonly isWatched: boolean
  /** Brings the list up to date with conversations that changed. */
  refresh: (keys: Iterable<ChannelKey>) => void
}

/** Creates the {@link UnfinishedDrafts} of a document; nothing is read before it is asked for. */
export function createUnfinishedDrafts(
  drafts: Pick<DraftBook, 'channels' | 'conversation'>,
  conversation: (key: ChannelKey) => Conversation,
  reportError: (error: unknown) => void,
): UnfinishedDrafts {
  const changed = createEmitter<void>(reportError)
  let byChannel: Map<ChannelKey, readonly UnfinishedDraft[]> | null = null
  let snapshot: readonly UnfinishedDraft[] = []

  const sort = (all: Map<ChannelKey, readonly UnfinishedDraft[]>): void => {
    snapshot = [...all.values()].flat().sort(compare)
  }
  const read = (): readonly UnfinishedDraft[] => {
    if (!byChannel) {
      byChannel = new Map()
      for (const key of drafts.channels) {
        const items = readChannel(conversation(key))
        if (items.length > 0) byChannel.set(key, items)
      }
      sort(byChannel)
    }
    return snapshot
  }

  return {
    getSnapshot: read,
    subscribe(listener) {
      read()
      return changed.subscribe(listener)
    },
    get isWatched() {
      return byChannel !== null
    },
    refresh(keys) {
      if (!byChannel) return
      let isChanged = false
      for (const key of keys) {
        const before = byChannel.get(key) ?? []
        const after = readChannel(conversation(key))
        if (before.length === after.length && after.every((item, place) => isSame(item, before[place])))
          continue
        isChanged = true
        if (after.length > 0) byChannel.set(key, after)
        else byChannel.delete(key)
      }
      if (!isChanged) return
      sort(byChannel)
      changed.emit()
    },
  }
}

function readChannel({ key, hidden, drafts }: Conversation): UnfinishedDraft[] {
  const channel = parseChannelKey(key)
  const readPlace = (
    { composer, others, recovered, sending }: PlaceDrafts,
    messageSeq: number | null,
  ): UnfinishedDraft[] => {
    const where = { key, channel, hidden, messageSeq }
    const live = composer ? [composer, ...others] : others
    return [
      ...live.map((draft) => ({
        ...where,
        kind: draft.sendFailed ? ('failed' as const) : ('draft' as const),
        draft,
      })),
      ...recovered.map((draft) => ({ ...where, kind: 'recovered' as const, draft })),
      ...sending.map((draft) => ({ ...where, kind: 'sending' as const, draft })),
    ]
  }
  return [...readPlace(drafts, null), ...drafts.edits.flatMap((edit) => readPlace(edit, edit.messageSeq))]
}

function isSame(a: UnfinishedDraft, b: UnfinishedDraft | undefined): boolean {
  return a.draft === b?.draft && a.kind === b.kind && a.hidden === b.hidden && a.messageSeq === b.messageSeq
}

function compare(a: UnfinishedDraft, b: UnfinishedDraft): number {
  return timeOf(b) - timeOf(a) || compareText(idOf(a), idOf(b))
}

function timeOf(item: UnfinishedDraft): number {
  return item.kind === 'sending' ? item.draft.sentAt : item.draft.editedAt
}

function idOf(item: UnfinishedDraft): string {
  return item.kind === 'sending' ? item.draft.submissionId : item.draft.draftId
}
