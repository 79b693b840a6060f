import { type ChannelKey, isChannelKey } from '../conversation/channel.js'
import type { Intake } from '../document/intake.js'
import { salvageUpdates } from '../document/salvage.js'
import { beginDraft, clearDraft } from '../drafts/composing.js'
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
      const channel = typeof into === 'string' ? into : channelOf(core, into)
      if (channel === null || !isChannelKey(channel)) continue
      // Begun and cleared of nothing: a draft that is finished, and all of whose text is recovered.
      clearDraft(core, writer, beginDraft(core, channel, text), new Map())
    }
  })
  return true
}

function channelOf({ drafts }: StoreCore, text: unknown): ChannelKey | null {
  for (const { episode } of drafts.all()) if (episode.text === text) return episode.channel
  return null
}
