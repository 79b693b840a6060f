import type * as Y from 'yjs'
import type { ChannelKey } from '../conversation/channel.js'
import { asObject } from '../conversation/facts.js'
import { emptyDocument } from '../document/emptyDocument.js'
import type { Intake } from '../document/intake.js'
import type { Winner } from '../document/registerTable.js'
import { draftRoot } from '../document/schema.js'
import { beginDraft, clearDraft, unfinishedPart } from '../drafts/composing.js'
import { type Coverage, coveredText, decodeCoverage } from '../drafts/coverage.js'
import { finishingActs } from '../drafts/draftFacts.js'
import type { KnownEpisode } from '../drafts/draftView.js'
import { createEpisode, draftIdOf, type Episode } from '../drafts/episode.js'
import { parseValue } from '../lattice/entry.js'
import type { StoreCore } from './core.js'
import type { Writer } from './writer.js'

/** A draft as it was before the document was replaced. */
interface EarlierDraft extends Omit<Episode, 'text'> {
  readonly text: string
  readonly isFinished: boolean
  /** What of a finished draft was neither sent nor cleared. */
  readonly rest: string
  readonly covered: (act: Coverage) => string
}

/** Client ids are 32 bits, as those that Yjs draws for documents. */
const CLIENT_IDS = 2 ** 32

/**
 * Replaces the content of the document by the state of another replica, and writes again under a new client id what only this
 * document has.
 *
 * @param state a whole document as an update
 * @param origin of the transactions that replace; what is written again is the store's own transaction
 * @param handled texts of drafts, by their id, that are not to be written again: another tab has done so
 */
export function rebuildDocument(
  core: StoreCore,
  intake: Intake,
  { state, origin, handled }: { state: Uint8Array; origin: unknown; handled: ReadonlyMap<string, string> },
): Map<string, string> {
  const { doc, clock, drafts, log } = core
  const entries = [...log.index.subjects].flatMap((subject) => [...log.index.registers(subject)])
  const earlier = [...drafts.all()].map(readDraft)
  // What waits builds on what goes now; what is missing of it comes with the state, or with the next sync.
  intake.release()
  const before = doc.clientID
  emptyDocument(doc, origin)
  log.index.dominated.clear()
  intake.receive(state, origin)
  clock.rename()
  do doc.clientID = Math.floor(core.environment.random() * CLIENT_IDS)
  while (doc.clientID === before || doc.store.clients.has(doc.clientID))
  core.transact((writer) => {
    const conflicting = new Set<string>()
    for (const draft of earlier) if (!restoreDraft(core, writer, draft, handled)) conflicting.add(draft.id)
    for (const entry of entries) {
      const draftId = draftIdOf(entry.subject)
      if (draftId !== null && conflicting.has(draftId) && !isCarried(core, entry, draftId, earlier)) continue
      writer.putText(entry.subject, entry.register, entry.stamp, entry.value)
    }
  })
  return new Map(earlier.map(({ id, text }) => [id, text]))
}

function readDraft(known: KnownEpisode): EarlierDraft {
  const { text, ...episode } = known.episode
  const isFinished = finishingActs(known.facts).length > 0
  const copy = snapshotRuns(text)
  return {
    ...episode,
    text: text.toString(),
    isFinished,
    rest: isFinished ? coveredText(text, unfinishedPart(known)) : '',
    covered: copy,
  }
}

/** Reads which characters an act covers, also after the text is gone. */
function snapshotRuns(text: Y.Text): (act: Coverage) => string {
  const characters: Array<{ client: number; clock: number; text: string }> = []
  for (let item = text._start; item; item = item.right) {
    if (item.deleted || !item.countable) continue
    const content = item.content as { str?: unknown }
    if (typeof content.str === 'string') {
      characters.push({ client: item.id.client, clock: item.id.clock, text: content.str })
    }
  }
  return (act) => {
    let covered = ''
    for (const run of characters) {
      for (let place = 0; place < run.text.length; place++) {
        const clock = run.clock + place
        if (act.get(run.client)?.some(({ from, to }) => from <= clock && clock < to))
          covered += run.text[place]
      }
    }
    return covered
  }
}

/** Writes a draft again if it is not there as it was; returns false if it is there with another text. */
function restoreDraft(
  core: StoreCore,
  writer: Writer,
  draft: EarlierDraft,
  handled: ReadonlyMap<string, string>,
): boolean {
  const present = core.drafts.find(draft.ref)
  if (present?.episode.text.toString() === draft.text) return true
  if (handled.get(draft.id) === draft.text) return !present
  const lost = draft.isFinished ? draft.rest : draft.text
  if (present) {
    keepText(core, writer, draft.channel, lost, draft.isFinished)
    return false
  }
  const { id, channel, startedAt, device } = draft
  const text = createEpisode(
    draftRoot(core.doc),
    { id, channel, startedAt, device },
    draft.isFinished ? '' : draft.text,
  )
  core.drafts.adopt({ id, ref: id, channel, startedAt, device, text })
  if (draft.isFinished) keepText(core, writer, channel, lost, true)
  return true
}

/** Puts a text beside the draft it was in: as another draft, or as a recovered one. */
function keepText(
  core: StoreCore,
  writer: Writer,
  channel: ChannelKey,
  text: string,
  isFinished: boolean,
): void {
  if (text === '') return
  const begun = beginDraft(core, channel, text)
  // Cleared of nothing: finished, and all of its text is recovered.
  if (isFinished) clearDraft(core, writer, begun, new Map())
}

/**
 * True if what an entry says of a draft holds for the text that is there now. That something was sent or cleared is about
 * characters by their clocks, under which other characters may stand now.
 */
function isCarried(
  core: StoreCore,
  { register, value }: Winner,
  draftId: string,
  earlier: readonly EarlierDraft[],
): boolean {
  if (!register.startsWith('send.') && !register.startsWith('clear.')) return true
  const present = core.drafts.find(draftId)
  const before = earlier.find(({ ref }) => ref === draftId)
  if (!present || !before) return false
  const covers = decodeCoverage(asObject(parseValue(value)).covers)
  return coveredText(present.episode.text, covers) === before.covered(covers)
}
