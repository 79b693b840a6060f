import type { Json } from '../json/json.js'
import { parseValue } from '../lattice/entry.js'
import { compareStamps, compareText, type Stamp } from '../lattice/stamp.js'
import { uncoveredText } from './coverage.js'
import { type DraftFacts, finishingActs, SEND_STATES } from './draftFacts.js'
import type { Episode } from './episode.js'

/** A draft that can be edited. */
export interface DraftText {
  readonly draftId: string
  readonly text: string
  /** The device that edited it last, by the name it gave itself. */
  readonly device: string
  /** When it was last edited, in milliseconds since 1970, to a few seconds. */
  readonly editedAt: number
  /** The message it replies to, as the app wrote it; `null` if none. */
  readonly reply: Json
  readonly mentions: Readonly<Record<string, Json>>
  readonly attachments: Readonly<Record<string, Json>>
  /** True if an attempt to send it failed and it came back. */
  readonly sendFailed: boolean
}

/** Text that somebody typed into a draft while another device sent or cleared it: neither sent nor cleared itself. */
export interface RecoveredDraft {
  readonly draftId: string
  readonly text: string
  readonly device: string
  readonly editedAt: number
}

/** Text on its way: submitted, and neither acknowledged nor failed yet. */
export interface PendingSend {
  readonly submissionId: string
  readonly text: string
  /** When it was submitted, in milliseconds since 1970. */
  readonly sentAt: number
}

/** All that was typed in one conversation and is not sent, cleared or deleted. */
export interface DraftView {
  /** What belongs into the input field; `null` for an empty one. */
  readonly composer: DraftText | null
  /** Drafts that other devices began by themselves, the newest first. */
  readonly others: readonly DraftText[]
  readonly recovered: readonly RecoveredDraft[]
  readonly sending: readonly PendingSend[]
}

/** The view of a conversation in which nothing was typed. */
export const NO_DRAFTS: DraftView = { composer: null, others: [], recovered: [], sending: [] }

/** Which draft this device shows, where that is not left to the document. */
export interface ComposerChoice {
  /** The draft's `ref`, or `null` for an empty field. */
  readonly ref: string | null
  /** True while the user types: nothing else gets into the field then. */
  readonly held: boolean
}

/** A draft with the registers about it. Another object after its text or a register of it changed. */
export interface KnownEpisode {
  readonly episode: Episode
  readonly facts: DraftFacts
}

/**
 * Arranges the drafts of one conversation. The one edited last is in the composer, unless something was sent or cleared
 * after it: then it stays beside, so that pressing Enter twice cannot send it. A draft that this device shows already stays.
 */
export function arrangeDrafts(known: readonly KnownEpisode[], choice?: ComposerChoice): DraftView {
  if (known.length === 0) return NO_DRAFTS
  const live: Array<{ draft: DraftText; ref: string; edited: Stamp }> = []
  const recovered: RecoveredDraft[] = []
  const sending: PendingSend[] = []
  const spare = spareCopies(known)
  let lastFinish: Stamp = []
  for (const one of known) {
    const finished = finishedDraft(one)
    if (finished) {
      if (compareStamps(finished.at, lastFinish) > 0) lastFinish = finished.at
      if (finished.recovered) recovered.push(finished.recovered)
      sending.push(...finished.sending)
      continue
    }
    const { episode, facts } = one
    if (spare.has(episode)) continue
    const text = episode.text.toString()
    if (text === '' && Object.keys(facts.attachments).length === 0) continue
    if (
      episode.ref !== episode.id &&
      live.some((other) => other.ref === episode.id && other.draft.text === text)
    ) {
      continue
    }
    const { reply, mentions, attachments } = facts
    const sendFailed = facts.sends.length > 0
    const draft = { ...lastEdit(one), text, reply, mentions, attachments, sendFailed }
    live.push({ draft, ref: episode.ref, edited: editedStamp(episode, facts) })
  }
  live.sort((a, b) => compareStamps(b.edited, a.edited) || compareText(a.ref, b.ref))
  recovered.sort((a, b) => b.editedAt - a.editedAt || compareText(a.draftId, b.draftId))
  sending.sort((a, b) => a.sentAt - b.sentAt || compareText(a.submissionId, b.submissionId))
  const shown = choice?.held
    ? live.find(({ ref }) => ref === choice.ref)
    : live.find(({ ref, edited }) => ref === choice?.ref || compareStamps(edited, lastFinish) > 0)
  const others = live.filter((other) => other !== shown).map(({ draft }) => draft)
  return { composer: shown?.draft ?? null, others, recovered, sending }
}

/** What is left of a draft that was sent or cleared. */
interface FinishedDraft {
  /** When it was finished, for the last time if several times; the empty stamp if nothing was in it. */
  readonly at: Stamp
  readonly recovered: RecoveredDraft | null
  readonly sending: readonly PendingSend[]
}

/** Kept, for a conversation has thousands of them in time. */
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
  for (const act of acts) {
    // Clearing no characters, as salvaging does, is nobody's pressing Enter; an attachment can be sent without any.
    const isDone = 'member' in act || act.covers.size > 0
    if (isDone && compareStamps(act.at, last) > 0) last = act.at
  }
  const text = uncoveredText(
    episode.text,
    acts.map(({ covers }) => covers),
  )
  // A pending send finishes its draft, so there is none elsewhere; of copies only the first one shows it.
  const pending = episode.ref === episode.id ? facts.sends : []
  return {
    at: last,
    // What stands in a copy as it was imported, nobody typed.
    recovered: text === '' || text === facts.imported ? null : { ...lastEdit(known), text },
    sending: pending
      .filter(({ state }) => state === SEND_STATES.sent)
      .map(({ member, text, at }) => ({
        submissionId: submissionId(episode.id, member),
        text,
        sentAt: at[0] as number,
      })),
  }
}

function lastEdit({ episode, facts }: KnownEpisode): { draftId: string; device: string; editedAt: number } {
  const editedAt = editedStamp(episode, facts)[0] as number
  return { draftId: episode.ref, device: editingDevice(episode, facts), editedAt }
}

/** The copies of drafts that several devices imported which nobody needs: those as they came, but for one where all are. */
function spareCopies(known: readonly KnownEpisode[]): ReadonlySet<Episode> {
  const spare = new Set<Episode>()
  const kept = new Map<string, Episode>()
  for (const { episode, facts } of known) {
    if (facts.imported === null) continue
    const other = kept.get(episode.id)
    const isUntouched = episode.text.toString() === facts.imported
    if (other && isUntouched) spare.add(episode)
    else if (other && other.text.toString() === facts.imported) spare.add(other)
    if (!other || !isUntouched) kept.set(episode.id, episode)
  }
  return spare
}

/** When a draft was last edited. */
export function editedStamp({ startedAt }: Episode, { edited }: DraftFacts): Stamp {
  return edited && compareStamps(edited.stamp, startedAt) > 0 ? edited.stamp : startedAt
}

function editingDevice(episode: Episode, { edited }: DraftFacts): string {
  return edited && compareStamps(edited.stamp, episode.startedAt) > 0
    ? deviceName(edited.value)
    : episode.device
}

function deviceName(value: string): string {
  const name = parseValue(value)
  return typeof name === 'string' ? name : ''
}

/** The name of a submission: the same for the same text of the same draft, so that a server can tell repetitions. */
export function submissionId(draftId: string, member: string): string {
  return `${draftId}.${member}`
}

/** The draft and the register of a submission. */
export function parseSubmissionId(id: string): { draftId: string; member: string } | null {
  const dot = id.lastIndexOf('.')
  return dot > 0 ? { draftId: id.slice(0, dot), member: id.slice(dot + 1) } : null
}
