import { type Channel, channelKey } from '@parley/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Body, bodyOf, readInteger, readText, refuse } from './body.js'
import { type Caller, mayWrite, READS, WRITES } from './caller.js'
import type { GatewayContext } from './context.js'
import { tellsDeletions } from './dialect.js'
import { extrasSince, updateExtra } from './extras.js'
import { HttpError } from './httpError.js'
import { deleteConversation, setUnread } from './marks.js'
import { completeReminders, remindersSince } from './reminders.js'
import {
  anyBody,
  DONE,
  extraBody,
  reminderDoneBody,
  reminderSyncBody,
  SYNC_BODY_LIMIT,
  tsddSyncBody,
  tsddUnreadBody,
  versionBody,
} from './schemas.js'
import { sendJson } from './sendJson.js'
import { answerSync, joinItems, writeChannel } from './syncAnswer.js'

const BAD_REQUEST = 400
const MAX_CHANNEL_TYPE = 255
/** More than a person marks as done at once. */
const MAX_REMINDERS = 100_000
const TAGS = ['TangSengDaoDao']
/** Most of an offset of pixels that anybody has. */
const MAX_OFFSET = 2 ** 31

/** Adds the endpoints of TangSengDaoDao. Who asks is told by the header `token`. */
export function addTsddRoutes(app: FastifyInstance, { identify, users, recents }: GatewayContext): void {
  /** The apps of the SDKs' demos have no token and name the user. */
  const callerOf = (request: FastifyRequest, body: Body): Promise<Caller> =>
    identify(request, readText(body, 'login_uid') || readText(body, 'uid') || undefined)
  const writerOf = async (request: FastifyRequest, body: Body): Promise<Caller> => {
    const caller = await callerOf(request, body)
    mayWrite(caller)
    return caller
  }

  app.post(
    '/v1/conversation/sync',
    { config: READS, bodyLimit: SYNC_BODY_LIMIT, schema: { tags: TAGS, body: tsddSyncBody } },
    async (request, reply) => {
      const body = bodyOf(request.body)
      const { uid } = await callerOf(request, body)
      const msgCount = readInteger(body, 'msg_count')
      const question = {
        version: readInteger(body, 'version'),
        lastMsgSeqs: readText(body, 'last_msg_seqs'),
        msgCount,
        onlyUnread: false,
        excludeTypes: [],
        shape: 'tsdd' as const,
        tellsDeletions: tellsDeletions(request),
      }
      const answer =
        msgCount <= 0
          ? { items: [], deletes: [] }
          : await users.withProjection(uid, (user) => answerSync(user, recents, question))
      // Android takes an answer for somebody else's without `uid`; the web app reads the lists without looking.
      const rest = { users: [], groups: [], channel_status: [], deletes: answer.deletes.map(writeChannel) }
      const before = `{"uid":${JSON.stringify(uid)},"conversations":[`
      return sendJson(reply, joinItems(answer, before, `],${JSON.stringify(rest).slice(1)}`))
    },
  )

  app.post(
    '/v1/conversation/syncack',
    { config: READS, schema: { tags: TAGS, body: anyBody } },
    async (request) => {
      await callerOf(request, bodyOf(request.body))
      return DONE
    },
  )

  // The first is how the original and its apps spell it.
  for (const path of ['/v1/coversation/clearUnread', '/v1/conversation/clearUnread']) {
    app.put(path, { config: WRITES, schema: { tags: TAGS, body: tsddUnreadBody } }, async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await writerOf(request, body)
      const channel = checkChannel(readText(body, 'channel_id'), readInteger(body, 'channel_type'))
      const unread = readInteger(body, 'unread')
      await users.withProjection(uid, (user) => setUnread(user, channel, unread, { marks: false }))
      return DONE
    })
  }

  app.delete(
    '/v1/conversations/:channel_id/:channel_type',
    { config: WRITES, schema: { tags: TAGS } },
    async (request) => {
      const { uid } = await writerOf(request, {})
      const channel = channelOfPath(request)
      await users.withProjection(uid, (user) => deleteConversation(user, channel))
      return DONE
    },
  )

  app.post(
    '/v1/conversations/:channel_id/:channel_type/extra',
    { config: WRITES, schema: { tags: TAGS, body: extraBody } },
    async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await writerOf(request, body)
      const channel = channelOfPath(request)
      const update = {
        browseTo: clamp(readInteger(body, 'browse_to')),
        keepMessageSeq: clamp(readInteger(body, 'keep_message_seq')),
        keepOffsetY: Math.max(-MAX_OFFSET, Math.min(MAX_OFFSET, readInteger(body, 'keep_offset_y'))),
        draft: readText(body, 'draft'),
      }
      return { version: await users.withProjection(uid, (user) => updateExtra(user, channel, update)) }
    },
  )

  app.post(
    '/v1/conversation/extra/sync',
    { config: READS, schema: { tags: TAGS, body: versionBody } },
    async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await callerOf(request, body)
      const version = readInteger(body, 'version')
      return users.withProjection(uid, async (user) => extrasSince(user, version))
    },
  )

  app.post(
    '/v1/message/reminder/sync',
    { config: READS, schema: { tags: TAGS, body: reminderSyncBody } },
    async (request) => {
      const body = bodyOf(request.body)
      const { uid } = await callerOf(request, body)
      const [version, limit] = [readInteger(body, 'version'), readInteger(body, 'limit')]
      return users.withProjection(uid, async (user) => remindersSince(user, version, limit))
    },
  )

  app.post(
    '/v1/message/reminder/done',
    { config: WRITES, schema: { tags: TAGS, body: reminderDoneBody } },
    async (request) => {
      const { uid } = await writerOf(request, {})
      const ids = request.body ?? []
      if (!Array.isArray(ids)) refuse('the body', 'an array of ids')
      if (ids.length > MAX_REMINDERS) refuse('the body', `an array of at most ${MAX_REMINDERS} ids`)
      if (ids.length === 0) throw new HttpError(BAD_REQUEST, '数据不能为空！')
      await users.withProjection(uid, (user) => completeReminders(user, new Set(ids.map(String))))
      return DONE
    },
  )
}

/** Message numbers have 32 bits; what is more or less is none. */
function clamp(seq: number): number {
  return seq >= 0 && seq < 2 ** 32 ? seq : 0
}

function channelOfPath({ params }: FastifyRequest): Channel {
  const { channel_id, channel_type } = params as { channel_id: string; channel_type: string }
  return checkChannel(channel_id, /^\d{1,3}$/.test(channel_type) ? Number(channel_type) : -1)
}

function checkChannel(channelId: string, channelType: number): Channel {
  if (channelType < 0 || channelType > MAX_CHANNEL_TYPE)
    refuse('channel_type', `an integer from 0 to ${MAX_CHANNEL_TYPE}`)
  if (channelId === '') refuse('channel_id', 'given')
  const channel = { channelId, channelType }
  channelKey(channel, 'channel')
  return channel
}
