import * as Y from 'yjs'
import { emptyDocument } from '../document/emptyDocument.js'
import type { EntryIndex } from '../document/entryIndex.js'
import { createEntryLog } from '../document/entryLog.js'
import type { Intake } from '../document/intake.js'
import type { Winner } from '../document/registerTable.js'
import { draftRoot } from '../document/schema.js'
import { beginDraft, clearDraft, NO_BODY, unfinishedPart } from '../drafts/composing.js'
import { type DraftBody, readBody, readPart } from '../drafts/content.js'
import { type Coverage, NO_CHARACTERS, type TextPart, textParts } from '../drafts/coverage.js'
import { createDraftBook, type DraftBook } from '../drafts/draftBook.js'
import { finishingActs, readDraftFacts } from '../drafts/draftFacts.js'
import type { KnownEpisode } from '../drafts/draftView.js'
import { createEpisode, draftIdOf, type Episode } from '../drafts/episode.js'
import type { DraftPlace } from '../drafts/place.js'
import type { HybridClock } from '../lattice/hlc.js'
import type { StoreCore } from './core.js'
import type { Writer } from './writer.js'

/** A draft as it was before the document was replaced. Its reply, mentions and attachments are entries. */
interface EarlierDraft extends Omit<Episode, 'text'> {
  readonly body: DraftBody
  readonly isFinished: boolean
  /** What of a finished draft was neither sent nor cleared. */
  readonly rest: DraftBody
  readonly parts: readonly TextPart[]
}

/** Client ids are 32 bits, as those that Yjs draws for documents. */
const CLIENT_IDS = 2 ** 32

/**
 * Replaces the content of the document by the state of another replica, and writes again under a new client id what only this
 * document has.
 *
 * @param state a whole document as an update
 * @param origin of the transactions that replace; what is written again is the store's own transaction
 * @param before the document as it was earlier, as an update, or `null`
 * @param handled texts of drafts, by their id, that are not to be written again: another tab has done so
 */
export function rebuildDocument(
  core: StoreCore,
  intake: Intake,
  { state, before, origin, handled }: Rebuild,
): Map<string, string> {
  const { doc, clock, drafts, log } = core
  const contents = [readContent(log.index, drafts), ...(before ? [readContentOf(before, clock)] : [])]
  const entries = contents.flatMap((content) => content.entries)
  const earlier = contents.flatMap((content) => content.drafts)
  // What waits builds on what goes now; what is missing of it comes with the state, or with the next sync.
  intake.release()
  const clientId = doc.clientID
  emptyDocument(doc, origin)
  log.index.dominated.clear()
  intake.receive(state, origin)
  clock.rename()
  do doc.clientID = Math.floor(core.environment.random() * CLIENT_IDS)
  while (doc.clientID === clientId || doc.store.clients.has(doc.clientID))
  core.transact((writer) => {
    const conflicting = new Set<string>()
    for (const draft of earlier) if (!restoreDraft(core, writer, draft, handled)) conflicting.add(draft.id)
    for (const entry of entries) {
      const draftId = draftIdOf(entry.subject)
      if (draftId !== null && conflicting.has(draftId) && !isCarried(core, entry, draftId, earlier)) continue
      writer.putText(entry.subject, entry.register, entry.stamp, entry.value)
    }
  })
  return new Map([...earlier].reverse().map(({ id, body }) => [id, body.text]))
}

/** What `rebuildDocument` is given. */
interface Rebuild {
  readonly state: Uint8Array
  readonly before: Uint8Array | null
  readonly origin: unknown
  readonly handled: ReadonlyMap<string, string>
}

/** What a document says. */
interface DocumentContent {
  readonly entries: readonly Winner[]
  readonly drafts: readonly EarlierDraft[]
}

function readContent(index: EntryIndex, drafts: DraftBook): DocumentContent {
  return {
    entries: [...index.subjects].flatMap((subject) => [...index.registers(subject)]),
    drafts: [...drafts.all()].map(readDraft),
  }
}

function readContentOf(update: Uint8Array, clock: HybridClock): DocumentContent {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  const { index } = createEntryLog(doc, clock)
  const content = readContent(index, createDraftBook(doc, index, clock))
  doc.destroy()
  return content
}

function readDraft(known: KnownEpisode): EarlierDraft {
  const { text, ...episode } = known.episode
  const acts = finishingActs(known.facts).map(({ covers }) => covers)
  const isFinished = acts.length > 0
  const { covers } = unfinishedPart(known)
  return {
    ...episode,
    body: readBody(text),
    isFinished,
    rest: isFinished ? readPart(text, acts, 'uncovered', covers) : NO_BODY,
    parts: [...textParts(text)],
  }
}

/** What of a text an act covers, as a text that can be compared. */
function coveredIn(parts: readonly TextPart[], act: Coverage): string {
  const covered: unknown[] = []
  for (const { client, from, insert } of parts) {
    const characters = typeof insert === 'string' ? insert.split('') : [insert]
    for (const [place, character] of characters.entries()) {
      const clock = from + place
      if (act.get(client)?.some((range) => range.from <= clock && clock < range.to)) covered.push(character)
    }
  }
  return JSON.stringify(covered)
}

/** Writes a draft again if it is not there as it was; returns false if it is there with another text. */
function restoreDraft(
  core: StoreCore,
  writer: Writer,
  draft: EarlierDraft,
  handled: ReadonlyMap<string, string>,
): boolean {
  const { id, place, channel, messageSeq, startedAt, device, body, rest, isFinished } = draft
  const present = core.drafts.find(draft.ref)
  if (present && isSame(readBody(present.episode.text), body)) return true
  if (handled.get(id) === body.text) return !present
  const lost = isFinished ? rest : body
  if (present) {
    const { text } = present.episode
    // An earlier state of what is there already.
    if (text.toString().includes(body.text) && !body.delta) return false
    if (text.length === 0 && !isFinished && finishingActs(present.facts).length === 0) {
      // Nothing stands there that it could be mixed with.
      text.applyDelta([...(lost.delta ?? [{ insert: lost.text }])], { sanitize: false })
      return false
    }
    keepBody(core, writer, place, lost, isFinished)
    return false
  }
  const root = draftRoot(core.doc)
  const text = createEpisode(root, { id, place, startedAt, device }, isFinished ? NO_BODY : body)
  core.drafts.adopt({ id, ref: id, place, channel, messageSeq, startedAt, device, text })
  if (isFinished) keepBody(core, writer, place, lost, true)
  return true
}

function isSame(a: DraftBody, b: DraftBody): boolean {
  return a.text === b.text && JSON.stringify(a.delta) === JSON.stringify(b.delta)
}

/** Puts a text beside the draft it was in: as another draft, or as a recovered one. */
function keepBody(
  core: StoreCore,
  writer: Writer,
  place: DraftPlace,
  body: DraftBody,
  isFinished: boolean,
): void {
  if (body.text === '' && !body.delta) return
  const begun = beginDraft(core, writer, place, { body, members: [] })
  // Cleared of nothing: finished, and all of its text is recovered.
  if (isFinished) clearDraft(core, writer, begun, { covers: NO_CHARACTERS, members: [] })
}

/**
 * True if what an entry says of a draft holds for the text that is there now. That something was sent or cleared is about
 * characters by their clocks, under which other characters may stand now.
 */
function isCarried(
  core: StoreCore,
  entry: Winner,
  draftId: string,
  earlier: readonly EarlierDraft[],
): boolean {
  const { sends, clears } = readDraftFacts([entry])
  const act = sends[0] ?? clears[0]
  if (!act) return true
  const present = core.drafts.find(draftId)
  const before = earlier.find(({ ref }) => ref === draftId)
  if (!present || !before) return false
  return coveredIn([...textParts(present.episode.text)], act.covers) === coveredIn(before.parts, act.covers)
}
