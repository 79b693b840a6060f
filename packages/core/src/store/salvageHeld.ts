import type { Intake } from '../document/intake.js'
import { salvageUpdates } from '../document/salvage.js'
import { beginDraft, clearDraft } from '../drafts/composing.js'
import { NO_CHARACTERS } from '../drafts/coverage.js'
import { type DraftPlace, parsePlace } from '../drafts/place.js'
import { decodeEntry } from '../lattice/entry.js'
import { isValidEntry } from '../lattice/registers.js'
import type { StoreCore } from './core.js'

/** Writes again what can be read of the updates an intake holds. Returns false if it holds none. */
export function salvageHeld(core: StoreCore, intake: Intake): boolean {
  const held = intake.release()
  if (held.length === 0) return false
  const { lines, texts } = salvageUpdates(core.doc, held)
  core.transact((writer) => {
    for (const line of lines) {
      const entry = decodeEntry(line)
      if (!entry || !isValidEntry(entry.register, entry.stamp)) continue
      writer.putText(entry.subject, entry.register, entry.stamp, entry.value)
    }
    for (const { into, text } of texts) {
      const place = typeof into === 'string' ? into : placeOf(core, into)
      if (place === null || !parsePlace(place)) continue
      // Begun and cleared of nothing: a draft that is finished, and all of whose text is recovered.
      const body = { text, delta: null }
      const begun = beginDraft(core, writer, place, { body, members: [] })
      clearDraft(core, writer, begun, { covers: NO_CHARACTERS, members: [] })
    }
  })
  return true
}

function placeOf({ drafts }: StoreCore, text: unknown): DraftPlace | null {
  for (const { episode } of drafts.all()) if (episode.text === text) return episode.place
  return null
}
