import { type ChannelKey, parseChannelKey } from '@parley/core'
import { selectConversations, type WireV3Conversation, writeV3Conversation } from '@parley/wukong'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Body, bodyOf, readInteger, readText } from './body.js'
import { type Caller, READS } from './caller.js'
import type { GatewayContext } from './context.js'
import { HttpError } from './httpError.js'
import { decodeCursor, encodeCursor } from './listCursor.js'
import { readChannels } from './namedChannels.js'
import type { Projection } from './projection.js'
import { channelBody, DONE, listBody, retryBody } from './schemas.js'
import { isListed, writeChannel } from './syncAnswer.js'

const BAD_REQUEST = 400
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200
const TAGS = ['WuKongIM 3']

/** Adds the list of conversations as WuKongIM's third generation has it: paged by cursor, with deletions told. */
export function addV3Routes(app: FastifyInstance, { identify, users }: GatewayContext): void {
  const callerOf = (request: FastifyRequest, body: Body): Promise<Caller> => {
    const uid = readText(body, 'uid')
    if (uid === '') throw new HttpError(BAD_REQUEST, 'uid不能为空！')
    return identify(request, uid)
  }

  app.post(
    '/conversation/list',
    { config: READS, schema: { tags: TAGS, body: listBody } },
    async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await callerOf(request, body)
      const asked = readInteger(body, 'limit')
      const limit = asked <= 0 ? DEFAULT_LIMIT : Math.min(asked, MAX_LIMIT)
      const [cursor, covered] = [readText(body, 'cursor'), readText(body, 'completed_coverage')]
      // Within a listing the cursor says where it stands; at its beginning, what an earlier one covered.
      const from = decodeCursor(cursor === '' ? covered : cursor)
      if (!from) throw new HttpError(BAD_REQUEST, 'cursor格式错误！')
      return users.withProjection(uid, async (user) => listFrom(user, from.version, limit))
    },
  )

  app.post(
    '/conversation/retry',
    { config: READS, schema: { tags: TAGS, body: retryBody } },
    async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await callerOf(request, body)
      const channels = readChannels(body)
      return users.withProjection(uid, async (user) => ({
        ...listed(
          user,
          channels.flatMap(({ key }) => {
            const { state } = user.index.get(key) ?? { state: 'absent' }
            return state === 'absent' ? [] : [{ key, deleted: state === 'deleted' }]
          }),
        ),
        unresolved: [],
      }))
    },
  )

  // There a conversation is in the list once it was opened; here it always is.
  app.post(
    '/conversations/activate',
    { config: READS, schema: { tags: TAGS, body: channelBody } },
    async (request) => {
      await callerOf(request, bodyOf(request.body))
      return DONE
    },
  )
}

function listFrom(user: Projection, since: number, limit: number): object {
  const { index } = user
  const isKnown = index.isKnown(since)
  const version = isKnown ? since : 0
  // The client has all that is older, so nothing is answered for not being listed.
  const held =
    version > 0
      ? Array.from(index.rows, ([, { state, headSeq }]) => (state === 'visible' ? headSeq : undefined))
      : []
  const { items, more } = selectConversations(index, { version, held, limit })
  const reached = more ? (items.at(-1)?.version ?? version) : index.head
  return {
    ...listed(user, items),
    unresolved: [],
    ...(more ? { next_cursor: encodeCursor({ version: reached }) } : {}),
    done: !more,
    coverage: encodeCursor({ version: reached }),
    tombstones_retained_since: 0,
    reset_required: !isKnown,
  }
}

function listed(
  user: Projection,
  items: ReadonlyArray<{ readonly key: ChannelKey; readonly deleted: boolean }>,
): { conversations: WireV3Conversation[]; deletes: object[] } {
  const shown = items.filter(({ key }) => isListed(parseChannelKey(key)))
  return {
    conversations: shown
      .filter(({ deleted }) => !deleted)
      .map(({ key }) => writeV3Conversation(user.conversation(key), { deletedToSeq: user.deletedTo(key) })),
    deletes: shown.filter(({ deleted }) => deleted).map(({ key }) => writeChannel(parseChannelKey(key))),
  }
}
