import type * as Y from 'yjs'
import type { DocumentStorage } from '../storage/documentStorage.js'
import type { LogPosition } from './comparison.js'
import { confirmedPosition, describeConfirmed, isConfirmed } from './confirmedState.js'

/** The key of the note. */
const NOTE = 'confirmed'

/** Remembers beyond a reload what the server has, so that without a network the status is still honest. */
export interface ConfirmedNote {
  /** True if the server is known to have all that is in the document. */
  isCurrent: () => Promise<boolean>
  /** How far the server's log went when the note was taken, `null` if there is none. */
  position: () => Promise<LogPosition | null>
  /** Notes that the server has all that is in the document, with its log up to a position. */
  update: (position: LogPosition) => Promise<void>
}

/** Creates the {@link ConfirmedNote} of a document and a server. */
export function createConfirmedNote(storage: DocumentStorage, doc: Y.Doc, url: string): ConfirmedNote {
  let last: string | null = null
  return {
    isCurrent: async () => isConfirmed(doc, url, await storage.getNote(NOTE)),
    position: async () => confirmedPosition(url, await storage.getNote(NOTE)),
    async update(position) {
      const state = describeConfirmed(doc, url, position)
      const text = `${state.snapshot.join()}/${position.epoch}/${position.version}`
      if (text === last) return
      await storage.setNote(NOTE, state)
      last = text
    },
  }
}
