import { channelKey } from '@parley/core'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { isUid } from '../access/roomPath.js'
import { bearerOf, isSecret, type Secrets } from '../access/secret.js'
import { bodyOf, MAX_MESSAGES, readList, readTexts, refuse } from './body.js'
import { HttpError } from './httpError.js'
import type { Ingest } from './ingest.js'
import type { Members } from './members.js'
import { DONE, INGEST_BODY_LIMIT, ingestBody, membersBody, webhookBody } from './schemas.js'
import { readNotify, readOffline } from './webhook.js'
import { type Envelope, readEnvelope } from './wireMessages.js'

export interface IngestRoutesContext {
  readonly ingest: Ingest
  readonly members: Members
  /** The bearer token of an IM server; `null` if no token is needed, `undefined` if no request may. */
  readonly ingestToken: Secrets | null | undefined
  /** The same for the token in the path of a webhook. */
  readonly webhookToken: Secrets | null | undefined
}

const UNAUTHENTICATED = 401
const FORBIDDEN = 403
const TAGS = ['Messages in']

/** Whoever knows the token brings as much as it has; see `FastifyContextConfig` for what that means. */
const CONFIG = { isService: true }

/** Adds the endpoints by which an IM server or an app's back end brings messages. */
export function addIngestRoutes(app: FastifyInstance, context: IngestRoutesContext): void {
  const { ingest, members, ingestToken, webhookToken } = context
  // Before the body is read, of which there may be 32 MiB.
  const withBearer = {
    config: CONFIG,
    bodyLimit: INGEST_BODY_LIMIT,
    onRequest: checkToken(ingestToken, ({ headers }) => bearerOf(headers)),
  }
  const withPath = {
    config: CONFIG,
    bodyLimit: INGEST_BODY_LIMIT,
    onRequest: checkToken(webhookToken, ({ params }) => (params as { secret: string }).secret),
  }

  app.post(
    '/v1/ingest/messages',
    { ...withBearer, schema: { tags: TAGS, body: ingestBody } },
    async (request) => ({
      ...DONE,
      ...(await ingest.deliver(readMessages(request.body))),
    }),
  )

  app.put(
    '/v1/channels/:channel_type/:channel_id/members',
    { ...withBearer, schema: { tags: TAGS, body: membersBody } },
    async (request) => {
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

  const takeWebhook = async (request: FastifyRequest): Promise<object> => {
    const { event } = request.query as { event?: unknown }
    if (event === 'msg.notify') await deliverEach(ingest, readNotify(request.body))
    else if (event === 'msg.offline') await ingest.deliver(readOffline(request.body))
    // Other events, of today and of later, say nothing of messages.
    return DONE
  }
  const schema = { tags: TAGS, body: webhookBody }
  app.post('/v1/webhook', { ...withBearer, schema }, takeWebhook)
  app.post('/v1/webhook/:secret', { ...withPath, schema }, takeWebhook)
}

function checkToken(
  secrets: Secrets | null | undefined,
  tokenOf: (request: FastifyRequest) => string | undefined,
): onRequestHookHandler {
  return (request, _reply, done) => {
    const given = tokenOf(request)
    if (secrets === null) done()
    else if (secrets === undefined) done(new HttpError(FORBIDDEN, 'this server takes in no messages'))
    else if (given === undefined) done(new HttpError(UNAUTHENTICATED, 'a token is missing'))
    else if (!isSecret(given, secrets)) done(new HttpError(UNAUTHENTICATED, 'the token is wrong'))
    else done()
  }
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
  if (Array.isArray(body))
    return readList({ messages: body }, 'messages', MAX_MESSAGES).map((message, index) =>
      readEnvelope(message, `messages[${index}]`),
    )
  const whole = bodyOf(body)
  if (!('messages' in whole)) return [readEnvelope(whole, 'message')]
  const messages = readList(whole, 'messages', MAX_MESSAGES)
  const recipients = readTexts(whole, 'recipients') ?? null
  return messages.map((message, index) => readEnvelope(message, `messages[${index}]`, recipients))
}
