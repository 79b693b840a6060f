import { createStore, type ExportedState, type Store } from '@parley/core'
import * as Y from 'yjs'
import { createRevocations } from '../access/revocations.js'
import { isUid } from '../access/roomPath.js'
import { ServerError } from '../errors.js'
import { createKeepMessage, type Keep } from '../gateway/keptMessage.js'
import { readImport } from '../import/readImport.js'
import type { LogStore, RoomSize } from '../log/logStore.js'
import { silentLogger } from '../logger.js'
import type { DocumentAccess, Rooms } from '../room/rooms.js'
import type { BackupManifest } from './backup/format.js'
import { writeBackup } from './backup/writeBackup.js'
import {
  type ExportFile,
  RECENTS_PREFIX,
  type ReadExportFile,
  readExport,
  writeExportFile,
} from './exportFile.js'
import { type ForgetSummary, forgetUser } from './forget.js'
import { importState } from './importState.js'
import { examineRoom, type VerifyReport, verifyStore } from './repair/verify.js'

/** What an import did. */
export interface ImportSummary {
  /** The user that has it now. */
  readonly uid: string
  /** The conversations and messages that the file has for the user. */
  readonly conversations: number
  readonly messages: number
  /** Messages that are left out: commands, and what other people say to each other. */
  readonly skipped: number
  /** The version of the room's log now. It is the same as before if nothing in the file was new. */
  readonly version: number
}

/** What there is of a user, in numbers. */
export interface Inspection extends RoomSize {
  readonly uid: string
  /** Versions of rows that wait for something that is missing. */
  readonly waiting: readonly number[]
  /** The document as one update. */
  readonly documentBytes: number
  /** How many clients ever wrote in it. */
  readonly writers: number
  /** Elements of the document's lists of entries, dominated ones included. */
  readonly entries: number
  readonly conversations: number
  readonly hiddenConversations: number
  /** Drafts that can be edited or recovered. */
  readonly drafts: number
}

/** A user's state, and what of it could not be read. */
export interface Exported {
  readonly file: ExportFile
  /** What is stored of the user and is not in the file, each in a few words; empty if everything is. */
  readonly missing: readonly string[]
}

/** What an operator does with a user's state, beside the connections and through the same door as they. */
export interface Admin {
  /**
   * Takes in a file, see `readImport`. Either all of it is durable when the promise resolves, or nothing was changed.
   *
   * @param uid whose it is to be; `null` for the user that an export names
   * @throws ParleyError with code `invalid-argument` that names the member; ServerError if it cannot be stored
   */
  import: (uid: string | null, file: string) => Promise<ImportSummary>
  /** The user's state as plain data; that of an unknown user is empty. */
  export: (uid: string) => Promise<ExportedState>
  /** All there is of a user, for `import`; that of an unknown user is empty. */
  exportFile: (uid: string) => Promise<Exported>
  /** What there is of a user, or `null` if nothing is. */
  inspect: (uid: string) => Promise<Inspection | null>
  /**
   * Takes back the tokens of a user, or of one device, that were issued before a moment, see `Server.revoke`.
   *
   * @param before in milliseconds since 1970; now, if left out
   */
  revoke: (uid: string, device?: string, before?: number) => Promise<void>
  /** Takes back a user's tokens, closes the connections with 4403 and erases the user, see `forgetUser`. */
  forget: (uid: string) => Promise<ForgetSummary>
  /** Reads all that is stored and tells what of it is damaged; changes nothing. */
  verify: () => Promise<VerifyReport>
  /**
   * Writes all that is stored into a folder, see `writeBackup`.
   *
   * @param path of a folder on the machine where the store is; it must not exist, or be empty
   */
  backup: (path: string) => Promise<BackupManifest>
}

export interface AdminOptions {
  store: LogStore
  rooms: Rooms
  /** Of the server that has the store open, so that it closes connections too. */
  revoke?: Admin['revoke']
  /** What is kept of the messages in imported files; `payload` if left out. */
  keep?: Keep
}

/** Creates {@link Admin} over the rooms of a server, or of a store that no server has open. */
export function createAdmin({ store, rooms, revoke, keep = 'payload' }: AdminOptions): Admin {
  /** Works on a copy of a user's document: the room's own is written only by what was stored before. */
  const withCopy = async <Result>(
    uid: string,
    use: (copy: Store, access: DocumentAccess) => Result | Promise<Result>,
  ): Promise<Result> => {
    checkUid(uid)
    const access = await rooms.acquire(uid)
    const doc = new Y.Doc()
    let copy: Store | null = null
    try {
      Y.applyUpdate(doc, access.document.encodeState())
      copy = createStore({ userId: uid, doc, deviceName: 'Server' })
      return await use(copy, access)
    } finally {
      copy?.close()
      doc.destroy()
      access.release()
    }
  }

  const importExport = (
    uid: string,
    { update, recents, conversations }: ReadExportFile,
  ): Promise<ImportSummary> =>
    withCopy(uid, async (_, { room }) => {
      await room.submit(update)
      // What is kept already may be a later edition.
      const known = await store.values.read(`room:${uid}`, [...recents.keys()])
      const fresh = [...recents].filter(([name]) => !known.has(name))
      if (fresh.length > 0) await store.values.write(`room:${uid}`, new Map(fresh))
      return { uid, conversations, messages: recents.size, skipped: 0, version: room.version }
    })

  const takeBack: Admin['revoke'] =
    revoke ??
    (async (uid, device, before) => {
      await createRevocations({ values: store.values, logger: silentLogger }).revoke(uid, device, before)
    })

  return {
    async forget(uid) {
      checkUid(uid)
      // First, or a device that comes back would bring everything again.
      await takeBack(uid)
      return forgetUser(store, rooms, uid)
    },
    verify: () => verifyStore(store),
    backup: (path) => writeBackup({ store, path, now: Date.now() }),

    async import(given, text) {
      const read = readExport(text)
      const uid = given ?? read?.userId
      if (uid === undefined) {
        throw new ServerError(
          'invalid-argument',
          'The file does not say whose it is: name the user with --user UID',
        )
      }
      if (read) return importExport(uid, read)
      const imported = readImport(text, uid)
      return withCopy(uid, async (copy, { room }) => {
        const before = Y.encodeStateVector(copy.doc)
        importState(copy, imported, createKeepMessage(keep))
        copy.maintain()
        await room.submit(Y.encodeStateAsUpdate(copy.doc, before))
        return {
          uid,
          conversations: imported.conversations.length,
          messages: imported.messages.length + sum(imported.conversations, ({ recents }) => recents.length),
          skipped: imported.skipped,
          version: room.version,
        }
      })
    },

    export: (uid) => withCopy(uid, (copy) => copy.export()),
    async exportFile(uid) {
      // Before it is loaded, which puts into quarantine what cannot be read.
      const found = isUid(uid) ? await examineRoom(store, uid) : []
      return withCopy(uid, async (_, { document }) => {
        const recents = await store.values.list(`room:${uid}`, { prefix: RECENTS_PREFIX })
        const waiting = document.waiting.map((version) => `entry ${version} waits for one that is not there`)
        // Once more: what cannot be applied is found out by loading it.
        const missing = new Set([...found, ...(await examineRoom(store, uid)), ...waiting])
        return {
          file: writeExportFile(uid, document.encodeState(), recents),
          missing: [...missing],
        }
      })
    },

    revoke: takeBack,

    async inspect(uid) {
      const size = await store.size(uid)
      if (!size) return null
      return withCopy(uid, async (copy, { document }) => {
        const { conversations } = copy.export()
        let entries = 0
        for (const [name, type] of copy.doc.share)
          if (name !== 'drafts' && type instanceof Y.Array) entries += type.length
        return {
          uid,
          // Once more: loading the room may have put rows into quarantine.
          ...((await store.size(uid)) ?? size),
          waiting: document.waiting,
          documentBytes: document.encodeState().byteLength,
          writers: copy.doc.store.clients.size,
          entries,
          conversations: conversations.length,
          hiddenConversations: conversations.filter(({ hidden }) => hidden).length,
          drafts: sum(conversations, ({ drafts }) => {
            return (drafts.composer ? 1 : 0) + drafts.others.length + drafts.recovered.length
          }),
        }
      })
    },
  }
}

function checkUid(uid: string): void {
  if (!isUid(uid))
    throw new ServerError('invalid-argument', 'The user must have a name of 1 to 200 characters')
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
