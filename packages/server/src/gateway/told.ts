import type { ChannelKey } from '@parley/core'
import type { VersionIndex } from '@parley/wukong'
import type { LogStore } from '../log/logStore.js'

/**
 * What the clients of a user that know only HTTP were told of extras. They replace what they were never told, and take the
 * version of what they wrote for the version up to which they have everything.
 */
export interface Told {
  /** The draft of a conversation that was last told, or came from such a client. */
  draft: (key: ChannelKey) => string | undefined
  noteDraft: (key: ChannelKey, draft: string) => void
  /** All extras up to a version were told. */
  noteThrough: (version: number) => void
  /** The extra of a conversation is as a client wrote it. */
  noteWritten: (key: ChannelKey, version: number) => void
  /** The greatest version up to which nothing was passed over. */
  safeVersion: (index: VersionIndex) => number
  /** Keeps it beside the log, if there is news. */
  save: () => Promise<void>
}

/** The stored form: plain JSON. */
interface StoredTold {
  readonly drafts: ReadonlyArray<readonly [ChannelKey, string]>
  readonly written: ReadonlyArray<readonly [ChannelKey, number]>
  readonly through: number
}

/** The name of the value beside a room's log. */
const VALUE_NAME = 'told'

/** Reads what was told to the clients of a user. */
export async function loadTold(log: LogStore, uid: string): Promise<Told> {
  const value = (await log.values.read(`room:${uid}`, [VALUE_NAME])).get(VALUE_NAME)
  // Its checksum says that it is what a server wrote.
  const stored = value && (JSON.parse(new TextDecoder().decode(value)) as StoredTold)
  const drafts = new Map(stored?.drafts)
  const written = new Map(stored?.written)
  let through = stored?.through ?? 0
  let isNews = false

  return {
    draft: (key) => drafts.get(key),
    noteDraft(key, draft) {
      if ((drafts.get(key) ?? '') === draft) return
      if (draft === '') drafts.delete(key)
      else drafts.set(key, draft)
      isNews = true
    },
    noteThrough(version) {
      if (version <= through) return
      through = version
      for (const [key, at] of written) if (at <= through) written.delete(key)
      isNews = true
    },
    noteWritten(key, version) {
      written.set(key, version)
      isNews = true
    },
    safeVersion(index) {
      let safe = index.head
      for (const [key, { extraVersion }] of index.rows) {
        const isTold = extraVersion <= through || written.get(key) === extraVersion
        if (!isTold) safe = Math.min(safe, extraVersion - 1)
      }
      return safe
    },
    async save() {
      if (!isNews) return
      isNews = false
      const state: StoredTold = { drafts: [...drafts], written: [...written], through }
      const bytes = new TextEncoder().encode(JSON.stringify(state))
      await log.values.write(`room:${uid}`, new Map([[VALUE_NAME, bytes]]))
    },
  }
}
