import type { ChannelKey } from '../conversation/channel.js'
import { draftRoot } from '../document/schema.js'
import { canonicalText } from '../json/canonicalJson.js'
import type { HlcStamp } from '../lattice/hlc.js'
import { compareStamps, type Stamp } from '../lattice/stamp.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import { type DraftBody, readPart } from './content.js'
import { type Coverage, coverageOf, remainderOf } from './coverage.js'
import { type DraftMember, encodeAct, finishingActs, pendingSends, uncoveredMembers } from './draftFacts.js'
import { editedStamp, type KnownEpisode } from './draftView.js'
import { createEpisode, draftIdAt, draftSubject, type Episode } from './episode.js'
import type { DraftPlace } from './place.js'
import { parsePlace } from './place.js'

/**
 * While the user types, the time of the last edit is written at most this often: an entry between characters keeps them from
 * being stored as one run.
 */
const EDITED_INTERVAL_MS = 60_000

/** The draft in a field, or `null` if what is typed there begins another. */
export function shownDraft({ drafts, isWriting }: StoreCore, place: DraftPlace): KnownEpisode | null {
  const choice = drafts.choice(place)
  // An empty draft that was typed in here is no draft to show, but the next letter belongs to it. Inside of a transaction the
  // app still sees the draft from before it, so no other one takes its place: a text meant for one would delete the other.
  const isChosenNow = isWriting && drafts.isChosenNow(place)
  const shown = isChosenNow ? null : drafts.place(place).composer?.draftId
  const known = drafts.find(shown ?? choice?.ref ?? '')
  return known && finishingActs(known.facts).length === 0 ? known : null
}

/** Notes that the user types in a draft: it stays in the field, and is the one edited last. */
export function touchDraft(core: StoreCore, writer: Writer, { episode, facts }: KnownEpisode): void {
  const { clock, deviceName, drafts, touched } = core
  touched.add(episode.text)
  const edited = editedStamp(episode, facts)
  const stamp = clock.next()
  const isDue =
    edited[2] !== clock.instance ||
    stamp[0] - (edited[0] as number) >= EDITED_INTERVAL_MS ||
    isOutdone(core, episode, edited)
  drafts.choose(episode.place, { ref: episode.ref, held: true, ...(!isDue && { typedAt: stamp }) })
  if (isDue) writer.put(draftSubject(episode.id), 'edited', stamp, deviceName)
}

/** True if the document knows of something later than the last edit: another draft here, or a deletion of the conversation. */
function isOutdone({ drafts, facts }: StoreCore, { place, channel, ref }: Episode, edited: Stamp): boolean {
  const { composer, others } = drafts.place(place)
  const rivals = composer ? [composer, ...others] : others
  const isRivalled = rivals.some(
    ({ draftId, editedAt }) => draftId !== ref && editedAt >= (edited[0] as number),
  )
  return isRivalled || facts(channel).deleted.acts.some(({ stamp }) => compareStamps(stamp, edited) > 0)
}

/** Notes typing in drafts' texts that was not done through `Draft`: by an editor that is bound to the text of a field. */
export function noteTyping(core: StoreCore, typedIn: readonly Episode[]): void {
  for (const { place, text } of typedIn) {
    if (core.touched.has(text)) continue
    const known = shownDraft(core, place)
    if (known?.episode.text === text) core.transact((writer) => touchDraft(core, writer, known))
  }
}

/**
 * Writes when the user last typed here, where that was not written and something that arrives says it was edited later: a
 * draft that is typed on after the conversation was deleted elsewhere must show.
 */
export function noteTypedAt(core: StoreCore, place: DraftPlace): void {
  const choice = core.drafts.choice(place)
  const { typedAt, ref } = choice ?? {}
  const known = typedAt && ref != null ? core.drafts.find(ref) : null
  if (!typedAt || !known || finishingActs(known.facts).length > 0) return
  const edited = editedStamp(known.episode, known.facts)
  if (compareStamps(edited, typedAt) >= 0 || !isOutdone(core, known.episode, edited)) return
  core.drafts.choose(place, { ref: known.episode.ref, held: choice?.held ?? false })
  core.transact((writer) => writer.put(draftSubject(known.episode.id), 'edited', typedAt, core.deviceName))
}

/** What a draft begins with. */
export interface Beginning {
  readonly body: DraftBody
  readonly members: readonly DraftMember[]
}

/** The body of an empty draft. */
export const NO_BODY: DraftBody = { text: '', delta: null }

/** Begins a draft; call it inside of a transaction. */
export function beginDraft(
  core: StoreCore,
  writer: Writer,
  place: DraftPlace,
  { body, members }: Beginning,
): KnownEpisode {
  const startedAt = core.clock.next()
  const known = addEpisode(
    core,
    { id: draftIdAt(startedAt), place, startedAt, device: core.deviceName },
    body,
  )
  for (const { register, value } of members) {
    const text = canonicalText(value, register)
    writer.putText(draftSubject(known.episode.id), register, core.clock.next(), text)
  }
  return known
}

/** The stamp of members that are imported: everything that a user does with them later is greater. */
const IMPORTED_MEMBER: HlcStamp = [0, 0, 'import']

/** Begins a draft that comes from elsewhere, at the time it was edited there; call it inside of a transaction. */
export function importEpisode(
  core: StoreCore,
  writer: Writer,
  place: DraftPlace,
  { id, device, editedAt }: { id: string; device: string; editedAt: number | undefined },
  { body, members }: Beginning,
): KnownEpisode {
  const now = core.clock.next()
  // A time to come is a broken clock's, and would stay in the composer until then.
  const startedAt: HlcStamp =
    editedAt !== undefined && editedAt >= 0 && editedAt < now[0] ? [Math.floor(editedAt), 0, now[2]] : now
  for (const { register, value } of members) {
    writer.putText(draftSubject(id), register, IMPORTED_MEMBER, canonicalText(value, register))
  }
  return addEpisode(core, { id, place, startedAt, device }, body)
}

function addEpisode(
  { doc, drafts }: StoreCore,
  begun: Pick<Episode, 'id' | 'place' | 'startedAt' | 'device'>,
  body: DraftBody,
): KnownEpisode {
  const text = createEpisode(draftRoot(doc), begun, body)
  const where = parsePlace(begun.place) ?? { channel: begun.place, messageSeq: null }
  return drafts.adopt({ ...begun, ...where, ref: begun.id, text })
}

/** A part of a draft: characters and members. */
export interface DraftPart {
  readonly covers: Coverage
  readonly members: readonly DraftMember[]
}

/** Finishes a draft, or a part of it, without sending it. */
export function clearDraft(
  { clock }: StoreCore,
  writer: Writer,
  { episode }: KnownEpisode,
  { covers, members }: DraftPart,
): void {
  const at = clock.next()
  const [ms, counter, instance] = at
  // A register per act: two devices that clear at once cover what each of them saw.
  const register = `clear.${instance}${ms.toString(36)}_${counter.toString(36)}`
  writer.put(draftSubject(episode.id), register, at, encodeAct(covers, members))
}

/** All of a draft that is not finished. */
export function wholeDraft({ episode, facts }: KnownEpisode): DraftPart {
  return {
    covers: coverageOf(episode.text, facts.imported === null),
    members: facts.members.filter(({ value }) => value !== null),
  }
}

/** The part of a draft that no finishing act was about: what is recovered of it once it is finished. */
export function unfinishedPart(
  { episode, facts }: KnownEpisode,
  only?: { readonly client: number; readonly instance: string },
): DraftPart {
  const acts = finishingActs(facts)
  const coverages = acts.map(({ covers }) => covers)
  // What is on its way may still fail, and must come back then.
  const pending = pendingSends(facts).map(({ covers }) => covers)
  return {
    covers: remainderOf(episode.text, coverages, pending, only?.client),
    members: uncoveredMembers(facts, acts, only?.instance),
  }
}

/** Moves a part of a finished draft into a new one; returns `null` if the part is empty. */
export function continueDraft(
  core: StoreCore,
  writer: Writer,
  known: KnownEpisode,
  part: DraftPart,
): KnownEpisode | null {
  const { episode, facts } = known
  const acts = finishingActs(facts).map(({ covers }) => covers)
  const body = readPart(episode.text, acts, 'uncovered', part.covers)
  if (body.text === '' && !body.delta && part.members.length === 0) return null
  clearDraft(core, writer, known, part)
  return beginDraft(core, writer, episode.place, { body, members: part.members })
}

/**
 * Keeps in the field what the user was typing while another device sent or cleared the draft: only what was typed and added
 * here, for the rest is its typists' to keep.
 */
export function keepTypingAfterFinish(core: StoreCore, place: DraftPlace): void {
  const choice = core.drafts.choice(place)
  const known = choice?.held && choice.ref !== null ? core.drafts.find(choice.ref) : null
  if (!known || finishingActs(known.facts).length === 0) return
  const own = { client: core.doc.clientID, instance: core.clock.instance }
  core.transact((writer) => {
    const begun = continueDraft(core, writer, known, unfinishedPart(known, own))
    core.drafts.choose(place, { ref: begun?.episode.ref ?? null, held: true })
  })
}

/** Lets this device's choices follow what arrived in a conversation from elsewhere. */
export function followArrivals(core: StoreCore, channel: ChannelKey): void {
  for (const place of core.drafts.heldPlaces(channel)) {
    keepTypingAfterFinish(core, place)
    noteTypedAt(core, place)
  }
}
