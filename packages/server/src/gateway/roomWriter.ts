import { createStore, onUpdate, type Store } from '@parley/core'
import * as Y from 'yjs'
import type { Logger } from '../logger.js'
import { DOCUMENT_GUID } from '../room/loadRoom.js'
import type { DocumentAccess } from '../room/rooms.js'

/** Acts in a room as one of the user's devices would. */
export interface RoomWriter {
  /**
   * Runs actions on a store of the room's document. What they write is durable when the promise resolves; when it rejects
   * nothing of it is.
   *
   * @throws what the actions throw; ServerError with the reason the room refused it
   */
  act: (actions: (store: Store) => void) => Promise<void>
}

/** What other devices read, as in "another draft, from Other app". */
const DEVICE_NAME = 'Other app'

/** What was written over is swept when nothing was written for so long: a sweep walks the document. */
const SWEEP_DELAY_MS = 2_000

interface Copy {
  readonly store: Store
  /** What was written and is not in the room yet. */
  unsent: Uint8Array[]
}

/**
 * Creates the {@link RoomWriter} of a room. It writes in a copy of the document, for the room's own holds only what is
 * stored; the copy is made by the first action and kept, so that all of them together add one client id to the document.
 */
export function createRoomWriter({ room, document }: DocumentAccess, logger: Logger): RoomWriter {
  let copy: Copy | null = null
  let queue: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null

  const open = (): Copy => {
    const doc = new Y.Doc({ guid: DOCUMENT_GUID })
    Y.applyUpdate(doc, document.encodeState())
    const opened: Copy = {
      store: createStore({ userId: room.name, doc, deviceName: DEVICE_NAME }),
      unsent: [],
    }
    onUpdate(doc, ({ update, local }) => {
      if (local) opened.unsent.push(update)
    })
    return opened
  }
  const drop = (): void => {
    copy?.store.close()
    copy?.store.doc.destroy()
    copy = null
  }

  document.follow({
    rowApplied({ update }) {
      if (!copy) return
      const { doc } = copy.store
      try {
        Y.applyUpdate(doc, update)
        // A row that had waited in the room has no call of its own.
        if (doc.store.pendingStructs || doc.store.pendingDs) drop()
      } catch (error) {
        logger.error({ room: room.name, err: error }, 'the copy of a document fell behind and is made anew')
        drop()
      }
    },
  })

  const run = async (actions: (store: Store) => void): Promise<void> => {
    copy ??= open()
    const { store } = copy
    try {
      actions(store)
      const updates = copy.unsent.splice(0)
      const [first] = updates
      if (first) await room.submit(updates.length === 1 ? first : Y.mergeUpdates(updates))
    } catch (error) {
      // It may hold what the room does not have.
      drop()
      throw error
    }
  }

  const enqueue: RoomWriter['act'] = (actions) => {
    const done = queue.then(() => run(actions))
    queue = done.catch(() => {})
    return done
  }
  /** Nobody else may sweep what this copy's entries dominate, such as the text of a draft that was taken back. */
  const sweepLater = (): void => {
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => {
      timer = null
      // At worst it is swept after the next act. Where the document has left memory, the room may be closed by now.
      if (document.isDestroyed) drop()
      else if (copy) enqueue((store) => store.maintain()).catch(() => {})
    }, SWEEP_DELAY_MS)
    timer.unref()
  }

  return {
    async act(actions) {
      await enqueue(actions)
      sweepLater()
    },
  }
}
