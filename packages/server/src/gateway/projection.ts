import {
  type Channel,
  type ChannelKey,
  type Conversation,
  channelKey,
  createStore,
  parseChannelKey,
} from '@parley/core'
import type { VersionIndex } from '@parley/wukong'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { DocumentAccess } from '../room/rooms.js'
import { integrateRow, type LoadedIndex, loadIndex, storeIndex } from './indexKeeper.js'
import { type Command, createPendingCommands } from './notify/command.js'
import type { RoomWriter } from './roomWriter.js'
import { loadTold, type Told } from './told.js'

/** A user's document as clients are shown it who know versions and nothing of Yjs. */
export interface Projection extends RoomWriter {
  readonly uid: string
  /** Which version changed which conversation last; in step with what {@link Projection.conversation} returns. */
  readonly index: VersionIndex
  conversation: (channel: Channel | ChannelKey) => Conversation
  /** Up to which message a conversation was deleted, as far as that is known; 0 if it never was. */
  deletedTo: (key: ChannelKey) => number
  readonly told: Told
  /** What clients are to be told of rows from a version on; of each once. */
  takeCommands: (since: number) => Command[]
  /** Gives a version to what changed by nothing but the time. To be awaited before versions are looked at. */
  catchUp: () => Promise<void>
}

export interface ProjectionOptions {
  access: DocumentAccess
  log: LogStore
  writer: RoomWriter
  logger: Logger
  now: () => number
}

/** Opens the {@link Projection} of a loaded document. It lives as long as that. */
export async function openProjection({
  access: { room, document },
  log,
  writer,
  logger,
  now,
}: ProjectionOptions): Promise<Projection> {
  // It only looks: what is written goes through the writer, and comes back as a row.
  const view = createStore({ userId: room.name, doc: document.doc })
  /** `null` until somebody asks: most never do. */
  let floors: Map<ChannelKey, number> | null = null
  const readFloors = (): Map<ChannelKey, number> => {
    const read = new Map<ChannelKey, number>()
    for (const { channel, deletedTo } of view.export().conversations) {
      if (deletedTo > 0) read.set(channelKey(channel), deletedTo)
    }
    return read
  }
  let touched = new Set<ChannelKey>()
  view.onTouch((keys) => {
    for (const key of keys) touched.add(key)
  })
  const commands = createPendingCommands()
  const early: Array<{ version: number; conversations: readonly Conversation[] }> = []
  let index: VersionIndex | null = null
  let passing: { time: number; keys: readonly ChannelKey[] } | null = null
  let catchingUp: Promise<void> | null = null

  const conversation = (channel: Channel | ChannelKey): Conversation => {
    const snapshot = view
      .conversation(typeof channel === 'string' ? parseChannelKey(channel) : channel)
      .getSnapshot()
    if (!index) return snapshot
    // Mutes are looked at as of the index's time, or what it says and what is told would differ.
    const muted = snapshot.mutedUntil > index.time
    return muted === snapshot.muted ? snapshot : { ...snapshot, muted }
  }
  const takeIn = (into: VersionIndex, version: number, conversations: readonly Conversation[]): void => {
    for (const { key, hidden, lastMessage } of conversations) {
      if (hidden && lastMessage) floors?.set(key, Math.max(floors.get(key) ?? 0, lastMessage.messageSeq))
    }
    if (passing) {
      const ended = passing.keys.map(conversation)
      integrateRow(
        into,
        { version, conversations: [...conversations, ...ended], now: passing.time },
        commands.note,
      )
    } else integrateRow(into, { version, conversations }, commands.note)
    passing = null
  }
  const save = async (): Promise<void> => {
    if (index) await storeIndex(log, room.name, index)
  }

  const unfollow = document.follow({
    rowApplied({ version }) {
      // As they are after this row: another node may have told somebody of this version already.
      const conversations = [...touched].map(conversation)
      touched = new Set()
      if (index) takeIn(index, version, conversations)
      else early.push({ version, conversations })
    },
    beforeCompaction: save,
  })
  let loaded: LoadedIndex
  let told: Told
  try {
    loaded = await loadIndex(log, room.name, commands.note)
    // It may know of rows that the document was not told of yet, and what is answered must be as new as its version.
    await room.catchUp(loaded.index.head)
    told = await loadTold(log, room.name)
  } catch (error) {
    unfollow()
    view.close()
    throw error
  }
  const ready = loaded.index
  for (const { version, conversations } of early) takeIn(ready, version, conversations)
  index = ready
  const saveOrWarn = (): Promise<void> =>
    save().catch((error) => logger.warn({ room: room.name, err: error }, 'an index could not be stored'))
  // What was replayed need not be replayed again. Nobody waits for it.
  if (!loaded.isStored) void saveOrWarn()

  const passTime = async (time: number, keys: readonly ChannelKey[]): Promise<void> => {
    passing = { time, keys }
    await room.tick()
    // Otherwise the next one who loads the room would find the same mutes ended.
    await saveOrWarn()
  }

  return {
    uid: room.name,
    index: ready,
    conversation,
    deletedTo(key) {
      floors ??= readFloors()
      return floors.get(key) ?? 0
    },
    told,
    takeCommands: (since) => commands.take(ready, since),
    act: writer.act,
    async catchUp() {
      if (!catchingUp) {
        const time = now()
        const keys = ready.due(time)
        if (keys.length === 0) return
        catchingUp = passTime(time, keys).finally(() => {
          catchingUp = null
        })
      }
      await catchingUp
    },
  }
}
