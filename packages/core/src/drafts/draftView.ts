import { compareStamps, compareText, type Stamp } from '../lattice/stamp.js'
import { contentDigest, type DraftContent, hasContent, readBody, readPart } from './content.js'
import {
  type DraftFacts,
  finishingActs,
  isSettingAside,
  pendingSends,
  readExtras,
  sentMembers,
  uncoveredMembers,
} from './draftFacts.js'
import type { Episode } from './episode.js'

/** A draft that can be edited. */
export interface DraftText extends DraftContent {
  readonly draftId: string
  /** The device that edited it last, by the name it gave itself. */
  readonly device: string
  /** When it was last edited, in milliseconds since 1970; while it is typed, to a minute. */
  readonly editedAt: number
  /** True if an attempt to send it failed and it came back. */
  readonly sendFailed: boolean
}

/** What was added to a draft while another device sent or cleared it: neither sent nor cleared itself. */
export interface RecoveredDraft extends DraftContent {
  readonly draftId: string
  readonly device: string
  readonly editedAt: number
}

/**
 * A draft on its way: submitted, and neither acknowledged nor failed yet. Its content is read from the draft: characters
 * that another device deleted meanwhile, without knowing of the send, are missing.
 */
export interface PendingSend extends DraftContent {
  readonly submissionId: string
  /** When it was submitted, in milliseconds since 1970. */
  readonly sentAt: number
}

/** The drafts of one composer, or of the edits of one message. */
export interface PlaceDrafts {
  /** What belongs into the input field; `null` for an empty one. White space alone is shown only while it is typed here. */
  readonly composer: DraftText | null
  /** Drafts that other devices began by themselves, the newest first. */
  readonly others: readonly DraftText[]
  readonly recovered: readonly RecoveredDraft[]
  readonly sending: readonly PendingSend[]
}

/** The drafts that edit one sent message. */
export interface MessageEdit extends PlaceDrafts {
  readonly messageSeq: number
}

/** Everything in one conversation that is not sent, cleared or deleted. */
export interface DraftView extends PlaceDrafts {
  /** Edits of sent messages, by their numbers; see `ConversationHandle.edit`. */
  readonly edits: readonly MessageEdit[]
}

/** A place in which nothing was typed. */
export const NO_PLACE_DRAFTS: PlaceDrafts = { composer: null, others: [], recovered: [], sending: [] }

/** The view of a conversation in which nothing was typed. */
export const NO_DRAFTS: DraftView = { ...NO_PLACE_DRAFTS, edits: [] }

/** Which draft this device shows, where that is not left to the document. */
export interface ComposerChoice {
  /** The draft's `ref`, or `null` for an empty field. */
  readonly ref: string | null
  /** True while the user types: nothing else gets into the field then. */
  readonly held: boolean
  /** When the user last typed here, where that is not in the document. */
  readonly typedAt?: Stamp
}

/** A draft with the registers about it. Another object after its text or a register of it changed. */
export interface KnownEpisode {
  readonly episode: Episode
  readonly facts: DraftFacts
}

/** The drafts of one place, arranged. */
export interface ArrangedDrafts {
  readonly view: PlaceDrafts
  /** When the newest of what is unfinished was edited or sent; `null` if there is nothing. */
  readonly newest: Stamp | null
  /** Of drafts that are finished and of which nothing is left: they need not be looked at again until they change. */
  readonly settled: readonly Episode[]
  /** When a draft was last sent or cleared. */
  readonly lastFinish: Stamp
}

/**
 * Arranges the drafts of one place. The one edited last is in the composer, unless something was sent or cleared after it:
 * then it stays beside, so that pressing Enter twice cannot send it. A draft that this device shows already stays.
 *
 * @param finishedBefore when one of the drafts that are not in `known` was last sent or cleared
 */
export function arrangeDrafts(
  known: readonly KnownEpisode[],
  finishedBefore: Stamp,
  choice?: ComposerChoice,
): ArrangedDrafts {
  const live: LiveDraft[] = []
  const recovered: RecoveredDraft[] = []
  const sending: PendingSend[] = []
  const settled: Episode[] = []
  const spare = spareCopies(known)
  let lastFinish = finishedBefore
  let newest: Stamp | null = null
  const note = (stamp: Stamp): void => {
    if (!newest || compareStamps(stamp, newest) > 0) newest = stamp
  }
  for (const one of known) {
    const finished = finishedDraft(one)
    if (finished) {
      if (compareStamps(finished.at, lastFinish) > 0) lastFinish = finished.at
      if (finished.recovered) recovered.push(finished.recovered)
      sending.push(...finished.sending)
      if (finished.newest) note(finished.newest)
      else settled.push(one.episode)
      continue
    }
    if (spare.has(one.episode)) continue
    const draft = liveDraft(one)
    const isTypedHere = choice?.held === true && choice.ref === draft.ref && draft.content.text !== ''
    if (!draft.hasContent && !isTypedHere) continue
    if (isCopyOf(draft, live)) continue
    live.push(draft)
    if (!draft.hasContent) continue
    for (const { at } of one.facts.sends) note(at)
    note(draft.edited)
  }
  live.sort((a, b) => compareStamps(b.edited, a.edited) || compareText(a.ref, b.ref))
  recovered.sort((a, b) => b.editedAt - a.editedAt || compareText(a.draftId, b.draftId))
  sending.sort((a, b) => a.sentAt - b.sentAt || compareText(a.submissionId, b.submissionId))
  const shown = choice?.held
    ? live.find(({ ref }) => ref === choice.ref)
    : live.find(({ ref, edited }) => ref === choice?.ref || compareStamps(edited, lastFinish) > 0)
  const others = live.filter((other) => other !== shown).map(({ content }) => content)
  const isEmpty = live.length + recovered.length + sending.length === 0
  const view = isEmpty ? NO_PLACE_DRAFTS : { composer: shown?.content ?? null, others, recovered, sending }
  return { view, newest, settled, lastFinish }
}

/** A draft that is not finished. */
interface LiveDraft {
  readonly ref: string
  readonly id: string
  readonly edited: Stamp
  readonly content: DraftText
  readonly hasContent: boolean
}

/** Kept, so that a draft that did not change is not read again. */
const liveDrafts = new WeakMap<KnownEpisode, LiveDraft>()

function liveDraft(known: KnownEpisode): LiveDraft {
  let draft = liveDrafts.get(known)
  if (!draft) {
    const { episode, facts } = known
    const content = {
      ...lastEdit(known),
      ...readBody(episode.text),
      ...readExtras(facts.members),
      sendFailed: facts.sends.length > 0,
    }
    const edited = editedStamp(episode, facts)
    draft = { ref: episode.ref, id: episode.id, edited, content, hasContent: hasContent(content) }
    liveDrafts.set(known, draft)
  }
  return draft
}

/** True for a second copy of a draft that several devices imported which says the same as the first. */
function isCopyOf({ ref, id, content }: LiveDraft, live: readonly LiveDraft[]): boolean {
  return ref !== id && live.some((other) => other.ref === id && other.content.text === content.text)
}

/** What is left of a draft that was sent or cleared. */
interface FinishedDraft {
  /** When it was finished, for the last time if several times; the empty stamp if nothing was in it. */
  readonly at: Stamp
  readonly recovered: RecoveredDraft | null
  readonly sending: readonly PendingSend[]
  /** When the newest of that was edited or sent; `null` if nothing is left. */
  readonly newest: Stamp | null
}

const finishedDrafts = new WeakMap<KnownEpisode, FinishedDraft | null>()

/** Reads a finished draft, or `null` if it is not finished. */
function finishedDraft(known: KnownEpisode): FinishedDraft | null {
  let finished = finishedDrafts.get(known)
  if (finished === undefined) {
    finished = readFinishedDraft(known)
    finishedDrafts.set(known, finished)
  }
  return finished
}

function readFinishedDraft(known: KnownEpisode): FinishedDraft | null {
  const { episode, facts } = known
  const acts = finishingActs(facts)
  if (acts.length === 0) return null
  let last: Stamp = []
  // Setting aside, as salvaging does, is nobody's pressing Enter.
  for (const act of acts) if (!isSettingAside(act) && compareStamps(act.at, last) > 0) last = act.at
  const isFirst = episode.ref === episode.id
  const recovered = {
    ...lastEdit(known),
    ...readPart(
      episode.text,
      acts.map(({ covers }) => covers),
      'uncovered',
    ),
    ...readExtras(isFirst ? uncoveredMembers(facts, acts) : []),
  }
  // What stands in a copy as it was imported, nobody typed; but the draft may have been set aside as it was.
  const isSpare = isAsImported(known) && !hasExtras(recovered) && !(isFirst && acts.some(isSettingAside))
  // A pending send finishes its draft, so there is none elsewhere; of copies only the first one shows it.
  const pending = isFirst ? pendingSends(facts) : []
  const isLeft = hasContent(recovered) && !isSpare
  const stamps = pending.map(({ at }) => at)
  if (isLeft) stamps.push(editedStamp(episode, facts))
  return {
    at: last,
    recovered: isLeft ? recovered : null,
    sending: pending.map((send) => ({
      submissionId: submissionId(episode.id, send.member),
      ...readPart(episode.text, [send.covers], 'covered'),
      ...readExtras(sentMembers(send)),
      sentAt: send.at[0] as number,
    })),
    newest: stamps.sort(compareStamps).at(-1) ?? null,
  }
}

function hasExtras(content: DraftContent): boolean {
  return hasContent({ ...content, text: '', delta: null })
}

function lastEdit({ episode, facts }: KnownEpisode): { draftId: string; device: string; editedAt: number } {
  const editedAt = editedStamp(episode, facts)[0] as number
  return { draftId: episode.ref, device: facts.edited?.device ?? episode.device, editedAt }
}

/** The copies of drafts that several devices imported which nobody needs: those as they came, but for one where all are. */
function spareCopies(known: readonly KnownEpisode[]): ReadonlySet<Episode> {
  const spare = new Set<Episode>()
  const kept = new Map<string, KnownEpisode>()
  for (const one of known) {
    const { episode, facts } = one
    if (facts.imported === null) continue
    const other = kept.get(episode.id)
    const isUntouched = isAsImported(one)
    if (other && isUntouched) spare.add(episode)
    else if (other && isAsImported(other)) spare.add(other.episode)
    if (!other || !isUntouched) kept.set(episode.id, one)
  }
  return spare
}

const untouched = new WeakMap<KnownEpisode, boolean>()

/** True if the text of a draft is the one that was imported. */
function isAsImported(known: KnownEpisode): boolean {
  const { episode, facts } = known
  if (facts.imported === null) return false
  let isSame = untouched.get(known)
  if (isSame === undefined) {
    isSame = contentDigest(readBody(episode.text)) === facts.imported
    untouched.set(known, isSame)
  }
  return isSame
}

/** When a draft was last edited. */
export function editedStamp({ startedAt }: Episode, { edited, members }: DraftFacts): Stamp {
  let last: Stamp = startedAt
  if (edited && compareStamps(edited.stamp, last) > 0) last = edited.stamp
  for (const { stamp } of members) if (compareStamps(stamp, last) > 0) last = stamp
  return last
}

/** The name of a submission: the same for the same content of the same draft, so that a server can tell repetitions. */
export function submissionId(draftId: string, member: string): string {
  return `${draftId}.${member}`
}

/** The draft and the register of a submission; `null` for a text that names none. */
export function parseSubmissionId(id: string): { draftId: string; member: string } | null {
  const dot = id.lastIndexOf('.')
  const member = id.slice(dot + 1)
  return dot > 0 && SUBMISSION.test(member) ? { draftId: id.slice(0, dot), member } : null
}

/** The number of the attempt, and what stands for the content. */
const SUBMISSION = /^\d+[a-zA-Z0-9]{12}$/
