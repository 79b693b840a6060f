import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { parseExactJson, stringifyExactJson } from '@parley/wukong'
import type { FastifyInstance } from 'fastify'
import { type Audit, kindOfStatus } from '../access/audit.js'
import type { ClientAddress } from '../access/clientAddress.js'
import type { Gate } from '../access/gate.js'
import { isSecret, type Secrets } from '../access/secret.js'
import type { Admission } from '../admission/admission.js'
import { ServerError } from '../errors.js'
import { sentBytes } from '../http/requestBody.js'
import { toSeconds } from '../http/retryAfter.js'
import type { LogStore } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import { measureIngest } from '../observe/measureIngest.js'
import type { Metrics } from '../observe/metrics.js'
import type { Rooms } from '../room/rooms.js'
import { createCallers } from './caller.js'
import { addChannelRoutes } from './channelRoutes.js'
import type { GatewayContext } from './context.js'
import { addCors } from './cors.js'
import { createFullAnswers } from './fullAnswers.js'
import { describeError, errorBody, HttpError } from './httpError.js'
import { createIngest } from './ingest.js'
import { addIngestRoutes } from './ingestRoutes.js'
import { createKeepMessage, type Keep } from './keptMessage.js'
import { createMembers, type MembersOf } from './members.js'
import { createNotifier, type Notify } from './notify/notifier.js'
import { createPollers } from './notify/pollers.js'
import { createRecents, type MessageSource } from './recents.js'
import { addTsddRoutes } from './tsddRoutes.js'
import { createUsers } from './users.js'
import { addV3Routes } from './v3Routes.js'
import { addWukongRoutes } from './wukongRoutes.js'

export interface GatewayOptions {
  /** The app's own history, for the messages before the newest one; what was ingested is kept if left out. */
  messageSource?: MessageSource
  /** Who is in a channel, for messages that come without their recipients. */
  members?: MembersOf
  /**
   * The bearer token of an IM server or a back end that brings messages; several while one replaces another. Without it no
   * request may, on an open server each.
   */
  ingestToken?: Secrets
  /**
   * The token in the path of a webhook, for an IM server that sends no headers; several while one replaces another. It allows
   * nothing else, as load balancers write paths into their logs. Without it `/v1/webhook/<token>` is closed.
   */
  webhookToken?: Secrets
  /** What is kept of the messages that an IM server brings; `payload` if left out. */
  keep?: Keep
  /**
   * Tells the clients of a user that know only HTTP what others of the user's devices did; {@link createWukongNotifier} makes
   * one for WuKongIM. Asked for users of whom such a client has asked something in the last 60 days.
   */
  notify?: Notify
}

export interface GatewaySurroundings {
  rooms: Rooms
  log: LogStore
  logger: Logger
  metrics: Metrics
  /** `null` if everybody is let in who reaches the server. */
  gate: Gate | null
  clientAddress: ClientAddress
  admission: Pick<Admission, 'requestOf'>
  audit: Audit
  /** How long changes are collected before clients are told of them, in milliseconds. */
  collectMs: number
  /** Calls a listener for every update of a device that became durable. */
  onAppend: (listener: (room: string, version: number) => void) => void
}

const INTERNAL = 500

/** What the description of the endpoints at `/openapi.json` begins with. */
const DOCUMENT: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'Parley',
    description: "Conversations for clients of WuKongIM's and TangSengDaoDao's servers",
    version: '1',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer' },
      token: { type: 'apiKey', in: 'header', name: 'token' },
    },
  },
  security: [{ bearer: [] }, { token: [] }],
}

/** Adds the endpoints for clients that know WuKongIM's or TangSengDaoDao's servers, and nothing of Yjs. */
export function addGateway(
  app: FastifyInstance,
  { messageSource, members: membersOf, ingestToken, webhookToken, keep = 'payload', notify }: GatewayOptions,
  {
    rooms,
    log,
    logger,
    metrics,
    gate,
    clientAddress,
    admission,
    audit,
    collectMs,
    onAppend,
  }: GatewaySurroundings,
): void {
  if (sharesOne(ingestToken, webhookToken)) {
    throw new ServerError(
      'invalid-argument',
      'webhookToken must differ from ingestToken: it is in addresses, which load balancers log',
    )
  }
  const pollers = notify && createPollers({ log, logger, now: Date.now })
  const onAsked = pollers ? { onAsked: pollers.note } : {}
  const users = createUsers({ rooms, log, logger, ...onAsked })
  const recents = createRecents(log, logger, messageSource)
  if (notify && pollers) {
    const { rowStored, finish } = createNotifier({
      notify,
      pollers,
      takeCommands: users.takeCommands,
      logger,
      collectMs,
    })
    onAppend(rowStored)
    app.addHook('onClose', finish)
  }
  const { checkHead, identify } = createCallers({ gate, clientAddress, admission })
  const context: GatewayContext = {
    identify,
    users,
    recents,
    fullAnswers: createFullAnswers({ users, recents, log, logger, ...onAsked }),
    logger,
  }
  const members = createMembers(log, membersOf)
  const ingest = createIngest({
    rooms,
    log,
    logger,
    users,
    recents,
    members,
    keepMessage: createKeepMessage(keep),
  })
  app.register(async (scope) => {
    // Message ids have 64 bits and keep all their digits, in and out.
    scope.removeContentTypeParser('application/json')
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      // With a callback, as a promise for every request is more for the garbage collector.
      (_request: unknown, body: string, done: (error: Error | null, parsed?: unknown) => void) => {
        let parsed: unknown
        try {
          parsed = body === '' ? undefined : parseExactJson(body, 'the body')
        } catch (error) {
          done(error as Error)
          return
        }
        done(null, parsed)
      },
    )
    scope.setReplySerializer(stringifyExactJson)
    scope.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
      const described = describeError(error)
      if (described.status >= INTERNAL) {
        logger.error({ err: error, route: request.routeOptions.url }, 'a request failed')
      }
      const kind = kindOfStatus(described.status)
      if (kind !== null) {
        audit({
          kind,
          at: 'http',
          code: described.status,
          reason: described.msg,
          remoteAddress: clientAddress(request.raw),
        })
      }
      if (error instanceof HttpError && error.retryAfterMs !== undefined)
        reply.header('retry-after', toSeconds(error.retryAfterMs))
      return reply.code(described.status).type('application/json').send(errorBody(described))
    })
    addCors(scope)
    scope.decorateRequest('access', null)
    if (gate) {
      // Before the body is read: what a stranger sends is not worth any work.
      scope.addHook('onRequest', (request, _reply, done) => {
        if (request.routeOptions.config.needs === undefined) done()
        else checkHead(request).then(() => done(), done)
      })
    }
    scope.addHook('onSend', ({ access }, reply, payload, done) => {
      reply.header('cache-control', 'no-store')
      // A service has no limits by user.
      if (access && (access.subject ?? access.uid) === access.uid)
        admission.requestOf(access.uid, { requests: 0, bytes: sentBytes(payload) })
      done(null, payload)
    })
    await scope.register(swagger, { openapi: DOCUMENT })
    addWukongRoutes(scope, context)
    addChannelRoutes(scope, context)
    addV3Routes(scope, context)
    addTsddRoutes(scope, context)
    addIngestRoutes(scope, {
      ingest: measureIngest(ingest, metrics),
      members,
      ingestToken: ingestToken ?? (gate ? undefined : null),
      webhookToken: webhookToken ?? (gate || ingestToken !== undefined ? undefined : null),
    })
    scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  })
}

function sharesOne(some: Secrets = [], others: Secrets = []): boolean {
  return [some].flat().some((one) => isSecret(one, others))
}
