import { type Channel, type ChannelKey, type Message, parseChannelKey } from '@parley/core'
import { type WireConversation, type WireMessage, writeConversation } from '@parley/wukong'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Body, bodyOf, readInteger, readText } from './body.js'
import { READS } from './caller.js'
import type { GatewayContext } from './context.js'
import { HttpError } from './httpError.js'
import { type NamedChannel, readChannels } from './namedChannels.js'
import type { Projection } from './projection.js'
import type { Recents } from './recents.js'
import { byChannelsBody, channelsBody, SYNC_BODY_LIMIT } from './schemas.js'
import { isListed, writeChannel } from './syncAnswer.js'

const BAD_REQUEST = 400
/** What WuKongIM's server answers where nobody says how many. */
const DEFAULT_MSG_COUNT = 15
const TAGS = ['WuKongIM']

/** Adds the endpoints of WuKongIM's second generation that are asked about channels by name, and for their names. */
export function addChannelRoutes(app: FastifyInstance, { identify, users, recents }: GatewayContext): void {
  const asUser = async <Result>(
    request: FastifyRequest,
    answer: (user: Projection, body: Body) => Promise<Result>,
  ): Promise<Result> => {
    const body = bodyOf(request.body)
    const uid = readText(body, 'uid')
    if (uid === '') throw new HttpError(BAD_REQUEST, 'uid cannot be empty')
    const caller = await identify(request, uid)
    return users.withProjection(caller.uid, (user) => answer(user, body))
  }
  const options = (body: object) => ({
    config: READS,
    bodyLimit: SYNC_BODY_LIMIT,
    schema: { tags: TAGS, body },
  })

  app.post('/conversation/channels', options(channelsBody), (request) =>
    asUser(request, async ({ index }) =>
      [...index.rows]
        .filter(([key, { state }]) => state === 'visible' && isListed(parseChannelKey(key)))
        .map(([key]) => writeChannel(parseChannelKey(key))),
    ),
  )

  app.post('/conversation/syncByChannels', options(byChannelsBody), (request) =>
    asUser(request, async (user, body) => {
      const channels = namedIn(body)
      const conversations = await conversationsOf(user, recents, channels, msgCountOf(body))
      return channels.map(({ key }) => conversations.get(key) ?? blank(parseChannelKey(key)))
    }),
  )

  app.post('/conversation/syncMessages', options(byChannelsBody), (request) =>
    asUser(request, async (user, body) => {
      const channels = namedIn(body)
      const conversations = await conversationsOf(user, recents, channels, msgCountOf(body))
      return channels.flatMap(({ key, lastMsgSeq }) => {
        const messages = newerThan(conversations.get(key)?.recents ?? [], lastMsgSeq)
        return messages.length === 0 ? [] : [{ ...writeChannel(parseChannelKey(key)), messages }]
      })
    }),
  )
}

function namedIn(body: Body): NamedChannel[] {
  const channels = readChannels(body)
  if (channels.length === 0) throw new HttpError(BAD_REQUEST, 'channels cannot be empty')
  return channels
}

function msgCountOf(body: Body): number {
  const count = readInteger(body, 'msg_count')
  return count <= 0 ? DEFAULT_MSG_COUNT : count
}

/** Those of some channels that the user sees, each with its newest messages. */
async function conversationsOf(
  user: Projection,
  recents: Recents,
  channels: readonly NamedChannel[],
  msgCount: number,
): Promise<ReadonlyMap<ChannelKey, WireConversation>> {
  const visible = channels.flatMap(({ key }) => {
    const row = user.index.get(key)
    if (row?.state !== 'visible' || !isListed(parseChannelKey(key))) return []
    return [{ key, version: row.version, conversation: user.conversation(key), floor: user.deletedTo(key) }]
  })
  const kept = await recents.read(
    user.uid,
    visible.map(({ key }) => key),
    msgCount,
  )
  const written = new Map<ChannelKey, WireConversation>()
  for (const { key, version, conversation, floor } of visible) {
    const messages = (kept.get(key) ?? []).filter(({ messageSeq }: Message) => messageSeq > floor)
    const wire = writeConversation(conversation, { shape: 'wukongim', version, recents: messages, msgCount })
    if (wire) written.set(key, wire)
  }
  return written
}

/** What is answered of a channel in which there is nothing to be seen. */
function blank(channel: Channel): object {
  return {
    ...writeChannel(channel),
    unread: 0,
    timestamp: 0,
    last_msg_seq: 0,
    last_client_msg_no: '',
    offset_msg_seq: 0,
    readed_to_msg_seq: 0,
    version: 0,
    recents: [],
  }
}

function newerThan(messages: readonly WireMessage[], seq: number): WireMessage[] {
  return messages.filter((message) => message.message_seq > seq)
}
