import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { RoomDocument } from '../room/roomDocument.js'
import type { DocumentAccess, Rooms } from '../room/rooms.js'
import type { Command } from './notify/command.js'
import { openProjection, type Projection } from './projection.js'
import { createRoomWriter, type RoomWriter } from './roomWriter.js'

/** The users' documents, for what comes by HTTP. Each is in memory while it is used and for a while after. */
export interface Users {
  /** Looks at a user's document, and acts in it. */
  withProjection: <Result>(uid: string, use: (user: Projection) => Promise<Result>) => Promise<Result>
  /** A user whose document is in memory, for a look in this turn of the event loop; mutes may have ended meanwhile. */
  peek: (uid: string) => Projection | null
  /** Acts in a user's document without looking at versions. */
  withWriter: <Result>(uid: string, use: (writer: RoomWriter) => Promise<Result>) => Promise<Result>
  /** What clients of a user are to be told of what was stored from a version on. */
  takeCommands: (uid: string, since: number) => Promise<Command[]>
}

export interface UsersOptions {
  rooms: Rooms
  log: LogStore
  logger: Logger
  /** The wall clock in milliseconds since 1970. */
  now?: () => number
  /** Told who asked for something. */
  onAsked?: (uid: string) => void
}

/** What is kept with a document for as long as it is in memory. */
interface Kept {
  readonly writer: RoomWriter
  projection: Promise<Projection> | null
  /** The same once it is there. */
  opened: Projection | null
}

/** Creates {@link Users} over the rooms of a server. */
export function createUsers({ rooms, log, logger, now = Date.now, onAsked }: UsersOptions): Users {
  const kept = new WeakMap<RoomDocument, Kept>()

  const keptOf = (access: DocumentAccess): Kept => {
    const known = kept.get(access.document) ?? {
      writer: createRoomWriter(access, logger),
      projection: null,
      opened: null,
    }
    kept.set(access.document, known)
    return known
  }
  const projectionOf = (access: DocumentAccess): Promise<Projection> => {
    const known = keptOf(access)
    known.projection ??= openProjection({ access, log, writer: known.writer, logger, now }).then(
      (opened) => {
        known.opened = opened
        return opened
      },
      (error) => {
        // The next one to ask tries again.
        known.projection = null
        throw error
      },
    )
    return known.projection
  }
  const withDocument = async <Result>(
    uid: string,
    use: (access: DocumentAccess) => Promise<Result>,
  ): Promise<Result> => {
    const access = await rooms.acquire(uid)
    try {
      return await use(access)
    } finally {
      access.release()
    }
  }

  return {
    withProjection: (uid, use) =>
      withDocument(uid, async (access) => {
        const user = await projectionOf(access)
        await user.catchUp()
        // Of a user nobody ever heard of there is nothing to tell.
        if (user.index.head > 0) onAsked?.(uid)
        try {
          return await use(user)
        } finally {
          // At worst a draft is put beside another one.
          await user.told
            .save()
            .catch((error) => logger.warn({ room: uid, err: error }, 'told drafts are not kept'))
        }
      }),
    peek(uid) {
      const document = rooms.peek(uid)
      return (document && kept.get(document)?.opened) ?? null
    },
    withWriter: (uid, use) => withDocument(uid, (access) => use(keptOf(access).writer)),
    takeCommands: (uid, since) =>
      withDocument(uid, async (access) => (await projectionOf(access)).takeCommands(since)),
  }
}
