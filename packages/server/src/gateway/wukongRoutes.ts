import { type Channel, channelKey } from '@parley/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Body, bodyOf, readInteger, readIntegers, readText } from './body.js'
import { mayWrite, READS, WRITES } from './caller.js'
import type { GatewayContext } from './context.js'
import { tellsDeletions } from './dialect.js'
import { asksForAll } from './fullAnswers.js'
import { HttpError } from './httpError.js'
import { clearUnread, deleteConversation, setUnread } from './marks.js'
import type { Projection } from './projection.js'
import { channelBody, conversationSyncBody, DONE, SYNC_BODY_LIMIT, setUnreadBody } from './schemas.js'
import { sendJson, sendOwnJson } from './sendJson.js'
import { answerSync, joinItems, type SyncQuestion } from './syncAnswer.js'

const BAD_REQUEST = 400
/** Of which there are 256; some clients list each several times. */
const MAX_TYPES = 1_000

/** Adds the conversation endpoints of WuKongIM's second generation. Users are named in the body. */
export function addWukongRoutes(app: FastifyInstance, context: GatewayContext): void {
  const { identify, users, recents, fullAnswers } = context
  app.post(
    '/conversation/sync',
    {
      config: READS,
      bodyLimit: SYNC_BODY_LIMIT,
      schema: { tags: ['WuKongIM'], body: conversationSyncBody },
    },
    async (request, reply) => {
      const body = bodyOf(request.body)
      const uid = readText(body, 'uid')
      const question = readQuestion(body, request)
      // A list that changes cannot be cut into pages without losing what moves over an edge: all is on the first.
      const isLaterPage = readInteger(body, 'page') > 1
      if (uid === '') return []
      const caller = await identify(request, uid)
      if (question.msgCount <= 0 || isLaterPage) return []
      if (asksForAll(question)) {
        const { body: all, isShared } = await fullAnswers.of(caller.uid)
        return isShared ? sendJson(reply, all) : sendOwnJson(reply, all)
      }
      const answer = await users.withProjection(caller.uid, (user) => answerSync(user, recents, question))
      return sendJson(reply, joinItems(answer, '[', ']'))
    },
  )

  const addMutation = (
    path: string,
    schema: object,
    noUid: string,
    mutate: (user: Projection, channel: Channel, body: Body) => Promise<void>,
  ): void => {
    app.post(path, { config: WRITES, schema: { tags: ['WuKongIM'], body: schema } }, async (request) => {
      const body = bodyOf(request.body)
      const uid = readText(body, 'uid')
      if (uid === '') throw new HttpError(BAD_REQUEST, noUid)
      const channel = readChannel(body)
      const caller = await identify(request, uid)
      mayWrite(caller)
      await users.withProjection(caller.uid, (user) => mutate(user, channel, body))
      return DONE
    })
  }
  // The three differ in how they spell it.
  addMutation('/conversations/setUnread', setUnreadBody, 'UID cannot be empty', (user, channel, body) =>
    setUnread(user, channel, readInteger(body, 'unread'), { marks: true }),
  )
  addMutation('/conversations/clearUnread', channelBody, 'uid cannot be empty', clearUnread)
  addMutation('/conversations/delete', channelBody, 'Uid cannot be empty', deleteConversation)
}

function readQuestion(body: Body, request: FastifyRequest): SyncQuestion {
  return {
    version: readInteger(body, 'version'),
    lastMsgSeqs: readText(body, 'last_msg_seqs'),
    msgCount: readInteger(body, 'msg_count'),
    onlyUnread: readInteger(body, 'only_unread') === 1,
    excludeTypes: [...new Set(readIntegers(body, 'exclude_channel_types', MAX_TYPES))],
    shape: 'wukongim',
    tellsDeletions: tellsDeletions(request),
  }
}

function readChannel(body: Body): Channel {
  const channel = { channelId: readText(body, 'channel_id'), channelType: readInteger(body, 'channel_type') }
  if (channel.channelId === '' || channel.channelType === 0) {
    throw new HttpError(BAD_REQUEST, 'channel_id or channel_type cannot be empty')
  }
  channelKey(channel, 'channel')
  return channel
}
