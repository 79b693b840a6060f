import type * as Y from 'yjs'
import type { DocumentStorage } from '../storage/documentStorage.js'
import { describeConfirmed, isConfirmed } from './confirmedState.js'

/** The key of the note. */
const NOTE = 'confirmed'

/** Remembers beyond a reload what the server has, so that without a network the status is still honest. */
export interface ConfirmedNote {
  /** True if the server is known to have all that is in the document. */
  isCurrent: () => Promise<boolean>
  /** Notes that the server has all that is in the document. */
  update: () => Promise<void>
}

/** Creates the {@link ConfirmedNote} of a document and a server. */
export function createConfirmedNote(storage: DocumentStorage, doc: Y.Doc, url: string): ConfirmedNote {
  let last: string | null = null
  return {
    isCurrent: async () => isConfirmed(doc, url, await storage.getNote(NOTE)),
    async update() {
      const state = describeConfirmed(doc, url)
      const text = state.snapshot.join()
      if (text === last) return
      await storage.setNote(NOTE, state)
      last = text
    },
  }
}
