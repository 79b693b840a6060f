import { channelKey } from '@parley/core'
import type { FastifyInstance } from 'fastify'
import { isUid } from '../access/roomPath.js'
import { bearerOf, isSecret } from '../access/secret.js'
import { bodyOf, readTexts, refuse } from './body.js'
import { HttpError } from './httpError.js'
import type { Ingest } from './ingest.js'
import type { Members } from './members.js'
import { DONE, INGEST_BODY_LIMIT, ingestBody, membersBody, webhookBody } from './schemas.js'
import { readNotify, readOffline } from './webhook.js'
import { type Envelope, readEnvelope } from './wireMessages.js'

export interface IngestRoutesContext {
  readonly ingest: Ingest
  readonly members: Members
  /** What an IM server has to know; `null` if everybody may who reaches the server, `undefined` if nobody may. */
  readonly token: string | null | undefined
}

const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const TAGS = ['Messages in']

/** Whoever knows the token brings as much as it has; see `FastifyContextConfig` for what that means. */
const CONFIG = { isService: true }

/** Adds the endpoints by which an IM server or an app's back end brings messages. */
export function addIngestRoutes(app: FastifyInstance, { ingest, members, token }: IngestRoutesContext): void {
  const admit = (given: string | undefined): void => {
    if (token === null) return
    if (token === undefined) throw new HttpError(FORBIDDEN, 'this server takes in no messages')
    if (given === undefined) throw new HttpError(UNAUTHENTICATED, 'a token is missing')
    if (!isSecret(given, token)) throw new HttpError(UNAUTHENTICATED, 'the token is wrong')
  }

  app.post(
    '/v1/ingest/messages',
    { config: CONFIG, bodyLimit: INGEST_BODY_LIMIT, schema: { tags: TAGS, body: ingestBody } },
    async (request) => {
      admit(bearerOf(request.headers))
      return { ...DONE, ...(await ingest.deliver(readMessages(request.body))) }
    },
  )

  app.put(
    '/v1/channels/:channel_type/:channel_id/members',
    { config: CONFIG, bodyLimit: INGEST_BODY_LIMIT, schema: { tags: TAGS, body: membersBody } },
    async (request) => {
      admit(bearerOf(request.headers))
      const { channel_type, channel_id } = request.params as { channel_type: string; channel_id: string }
      const channel = {
        channelId: channel_id,
        channelType: /^\d{1,3}$/.test(channel_type) ? Number(channel_type) : -1,
      }
      channelKey(channel)
      const { body } = request
      const list = readTexts({ members: Array.isArray(body) ? body : bodyOf(body).members }, 'members')
      if (!list) refuse('members', 'an array of user ids')
      for (const [index, uid] of list.entries()) {
        if (!isUid(uid)) refuse(`members[${index}]`, 'a user id of 1 to 200 characters')
      }
      await members.set(channel, list)
      return DONE
    },
  )

  app.post(
    '/v1/webhook/:secret',
    { config: CONFIG, bodyLimit: INGEST_BODY_LIMIT, schema: { tags: TAGS, body: webhookBody } },
    async (request) => {
      admit((request.params as { secret: string }).secret)
      const { event } = request.query as { event?: unknown }
      if (event === 'msg.notify') await deliverEach(ingest, readNotify(request.body))
      else if (event === 'msg.offline') await ingest.deliver(readOffline(request.body))
      // Other events, of today and of later, say nothing of messages.
      return DONE
    },
  )
}

/**
 * Takes in what can be, so that one message nobody may have keeps no other from arriving; then refuses for the first that was
 * left out, so that the IM server brings it again.
 */
async function deliverEach(ingest: Ingest, envelopes: readonly Envelope[]): Promise<void> {
  try {
    await ingest.deliver(envelopes)
    return
  } catch (error) {
    if (envelopes.length === 1 || !(error instanceof Error)) throw error
  }
  let first: unknown
  for (const envelope of envelopes) {
    try {
      await ingest.deliver([envelope])
    } catch (error) {
      first ??= error
    }
  }
  if (first) throw first
}

function readMessages(body: unknown): Envelope[] {
  if (Array.isArray(body)) return body.map((message, index) => readEnvelope(message, `messages[${index}]`))
  const whole = bodyOf(body)
  if (!('messages' in whole)) return [readEnvelope(whole, 'message')]
  if (!Array.isArray(whole.messages)) refuse('messages', 'an array')
  const recipients = readTexts(whole, 'recipients') ?? null
  return whole.messages.map((message, index) => readEnvelope(message, `messages[${index}]`, recipients))
}
