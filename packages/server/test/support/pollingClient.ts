import type { WireConversation, WireExtra } from '@parley/wukong'
import { expect } from 'vitest'
import { extrasSince } from '../../src/gateway/extras.js'
import { createRecents } from '../../src/gateway/recents.js'
import { answerSync } from '../../src/gateway/syncAnswer.js'
import type { Users } from '../../src/gateway/users.js'
import { createMemoryLog, silentLogger } from '../../src/index.js'

/** A client that knows only versions, as Android's: it keeps what it is told, item by item. */
export class PollingClient {
  readonly items = new Map<string, WireConversation>()
  readonly extras = new Map<string, WireExtra>()
  private version = 0
  private readonly uid: string
  private extraVersion = 0

  constructor(uid: string) {
    this.uid = uid
  }

  async poll(users: Users, question: Partial<Parameters<typeof answerSync>[2]> = {}): Promise<number> {
    const version = this.version
    const lastMsgSeqs = [...this.items.values()]
      .map((item) => `${item.channel_id}:${item.channel_type}:${item.last_msg_seq}`)
      .join('|')
    return users.withProjection(this.uid, async (user) => {
      const { items } = await answerSync(user, createRecents(createMemoryLog(), silentLogger), {
        version,
        lastMsgSeqs,
        msgCount: 1,
        onlyUnread: false,
        excludeTypes: [],
        shape: 'tsdd',
        tellsDeletions: true,
        ...question,
      })
      for (const { bytes } of items) {
        const item = JSON.parse(new TextDecoder().decode(bytes)) as WireConversation
        expect(Number(item.version)).toBeLessThanOrEqual(user.index.head)
        // What is deleted keeps its row there, and its version.
        this.version = Math.max(this.version, Number(item.version))
        const key = `${item.channel_type}:${item.channel_id}`
        if (item.recents[0]?.is_deleted === 1) this.items.delete(key)
        else this.items.set(key, item)
      }
      for (const extra of extrasSince(user, this.extraVersion)) {
        this.extraVersion = Math.max(this.extraVersion, Number(extra.version))
        this.extras.set(`${extra.channel_type}:${extra.channel_id}`, extra)
      }
      return items.length
    })
  }

  /** All that a user would see; versions may differ, for an index that was lost is made anew. */
  async seen(users: Users): Promise<unknown> {
    // A conversation of which a restored history never heard is the client's own affair: nobody says that it is gone.
    const known = await users.withProjection(
      this.uid,
      async ({ index }) => new Map<string, string>([...index.rows].map(([key, { state }]) => [key, state])),
    )
    const isKnown = ([key]: [string, unknown]): boolean => known.has(key)
    const isThere = ([key]: [string, unknown]): boolean => isKnown([key, null]) && known.get(key) !== 'absent'
    const blank = (extra: WireExtra): boolean =>
      extra.draft === '' && extra.browse_to === 0 && extra.keep_message_seq === 0
    return {
      items: [...this.items]
        .filter(isThere)
        .map(([key, { version: _, ...item }]) => [key, item])
        .sort(),
      extras: [...this.extras]
        .filter(isKnown)
        .filter(([, extra]) => !blank(extra))
        .map(([key, { version: _, ...extra }]) => [key, extra])
        .sort(),
    }
  }
}
