import type { ChannelKey } from '../conversation/channel.js'
import { draftRoot } from '../document/schema.js'
import type { HlcStamp } from '../lattice/hlc.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import { type Coverage, coveredText, encodeCoverage, remainderOf } from './coverage.js'
import { finishingActs } from './draftFacts.js'
import { editedStamp, type KnownEpisode } from './draftView.js'
import { createEpisode, draftSubject, type Episode } from './episode.js'

/** While somebody types, the time of the last edit is written at most this often. */
const EDITED_INTERVAL_MS = 3000

/** The draft in the composer of a channel, or `null` if what is typed there begins another. */
export function shownDraft({ drafts, isWriting }: StoreCore, channel: ChannelKey): KnownEpisode | null {
  const choice = drafts.choice(channel)
  const composer = drafts.view(channel).composer
  // An empty draft that is being typed in is no draft to show, but the next letter belongs to it. Inside of a transaction the
  // app still sees the draft from before it, so no other one takes its place: a text meant for one would delete the other.
  const ref = isWriting && choice ? choice.ref : (composer?.draftId ?? (choice?.held ? choice.ref : null))
  const known = drafts.find(ref ?? '')
  return known && finishingActs(known.facts).length === 0 ? known : null
}

/** Notes that the user types in a draft: it stays in the composer, and is the one edited last. */
export function touchDraft(
  { clock, deviceName, drafts, touched }: StoreCore,
  writer: Writer,
  { episode, facts }: KnownEpisode,
): void {
  touched.add(episode.text)
  drafts.choose(episode.channel, { ref: episode.ref, held: true })
  const edited = editedStamp(episode, facts)
  const rival = drafts.view(episode.channel).others[0]
  const outdone = rival !== undefined && rival.editedAt >= (edited[0] as number)
  const foreign = edited[2] !== clock.instance
  const stamp = clock.next()
  if (outdone || foreign || stamp[0] - (edited[0] as number) >= EDITED_INTERVAL_MS) {
    writer.put(draftSubject(episode.id), 'edited', stamp, deviceName)
  }
}

/** Notes typing in drafts' texts that was not done through `Draft`: by an editor that is bound to the composer's text. */
export function noteTyping(core: StoreCore, typedIn: readonly Episode[]): void {
  for (const { channel, text } of typedIn) {
    if (core.touched.has(text)) continue
    const known = shownDraft(core, channel)
    if (known?.episode.text === text) core.transact((writer) => touchDraft(core, writer, known))
  }
}

/** Begins a draft; call it inside of a transaction. */
export function beginDraft(core: StoreCore, channel: ChannelKey, initialText: string): KnownEpisode {
  const startedAt = core.clock.next()
  const [ms, counter, instance] = startedAt
  const id = `${instance}${ms.toString(36)}_${counter.toString(36)}`
  const device = core.deviceName
  const text = createEpisode(draftRoot(core.doc), { id, channel, startedAt, device }, initialText)
  return core.drafts.adopt({ id, ref: id, channel, startedAt, device, text })
}

/** Begins a draft that comes from elsewhere, at the time it was edited there; call it inside of a transaction. */
export function importEpisode(
  { clock, doc, drafts }: StoreCore,
  channel: ChannelKey,
  { id, device, editedAt }: { id: string; device: string; editedAt: number | undefined },
  initialText: string,
): KnownEpisode {
  const now = clock.next()
  // A time to come is a broken clock's, and would stay in the composer until then.
  const startedAt: HlcStamp =
    editedAt !== undefined && editedAt >= 0 && editedAt < now[0] ? [Math.floor(editedAt), 0, now[2]] : now
  const text = createEpisode(draftRoot(doc), { id, channel, startedAt, device }, initialText)
  return drafts.adopt({ id, ref: id, channel, startedAt, device, text })
}

/** Finishes a draft, or the part of it that is covered, without sending it. */
export function clearDraft(
  { clock }: StoreCore,
  writer: Writer,
  { episode }: KnownEpisode,
  covers: Coverage,
): void {
  const at = clock.next()
  const [ms, counter, instance] = at
  // A register per act: two devices that clear at once cover what each of them saw.
  const register = `clear.${instance}${ms.toString(36)}_${counter.toString(36)}`
  writer.put(draftSubject(episode.id), register, at, { covers: encodeCoverage(covers) })
}

/** The characters of a draft that no finishing act was about: what is recovered of it once it is finished. */
export function unfinishedPart({ episode, facts }: KnownEpisode, onlyClient?: number): Coverage {
  // Exactly those: what is on its way may still fail, and must come back then.
  return remainderOf(
    episode.text,
    finishingActs(facts).map(({ covers }) => covers),
    onlyClient,
  )
}

/** Moves a part of a finished draft into a new one; returns `null` if the part is empty. */
export function continueDraft(
  core: StoreCore,
  writer: Writer,
  known: KnownEpisode,
  covers: Coverage,
): KnownEpisode | null {
  const text = coveredText(known.episode.text, covers)
  if (text === '') return null
  clearDraft(core, writer, known, covers)
  return beginDraft(core, known.episode.channel, text)
}

/**
 * Keeps in the composer what the user was typing while another device sent or cleared the draft: only the characters that
 * were typed here, for the others are their typists' to keep.
 */
export function keepTypingAfterFinish(core: StoreCore, channel: ChannelKey): void {
  const choice = core.drafts.choice(channel)
  const known = choice?.held && choice.ref !== null ? core.drafts.find(choice.ref) : null
  if (!known || finishingActs(known.facts).length === 0) return
  core.transact((writer) => {
    const begun = continueDraft(core, writer, known, unfinishedPart(known, core.doc.clientID))
    core.drafts.choose(channel, { ref: begun?.episode.ref ?? null, held: true })
  })
}
