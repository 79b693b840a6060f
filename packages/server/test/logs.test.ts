import { inspect } from 'node:util'
import { encodeToken, SUBPROTOCOL } from '@parley/core'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  AccessError,
  createJwtAuthenticate,
  createMemoryLog,
  type Logger,
  type LogStore,
  type ServerOptions,
} from '../src/index.js'
import { send } from './support/gateway.js'
import { connectRaw, type Running, startServer, syncMessage, textUpdate, until } from './support/harness.js'

const SECRET = 'the secret that tokens are signed with, 32 and more'
const INGEST_TOKEN = 'ingest-with-this'
const WEBHOOK_TOKEN = 'webhook-with-this'
const METRICS_TOKEN = 'scrape-with-this'
/** So many rows are compacted when their room leaves memory. */
const LONG_LOG_ROWS = 100
/** In every text that is sent in this file. */
const TEXT = 'meet me at noon'

interface Logged {
  readonly options: Pick<ServerOptions, 'logger'>
  /** All that was handed to the logger, in full. */
  readonly all: () => string
  readonly messages: () => string[]
}

function logged(): Logged {
  const lines: Array<[fields: object, message: string]> = []
  const log = (fields: object, message: string): void => void lines.push([fields, message])
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  return {
    options: { logger },
    all: () => inspect(lines, { depth: null, maxStringLength: null, maxArrayLength: null, showHidden: true }),
    messages: () => lines.map(([, message]) => message),
  }
}

const tokenOf = (sub: string, more: object = {}): Promise<string> =>
  new SignJWT({ sub, ...more })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))

/** A store whose errors quote what they were given, as databases do. */
function indiscreetStore(): LogStore {
  const store = createMemoryLog()
  return {
    ...store,
    async append(room, update) {
      if (room === 'full') throw new Error(`cannot insert ${Buffer.from(update).toString('latin1')}`)
      return store.append(room, update)
    },
    async load(room, options) {
      if (room === 'unreadable') throw new Error('the row cannot be read', { cause: new Error(TEXT) })
      return store.load(room, options)
    },
    async compact(room, compaction) {
      throw new Error(`cannot compact ${room}`, {
        cause: new Error(Buffer.from(compaction.snapshot).toString('latin1')),
      })
    },
  }
}

/** An update whose content is JSON that does not parse; JavaScript's error about it quotes the text. */
function brokenJson(): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insertEmbed(0, { said: TEXT })
  const update = Y.encodeStateAsUpdate(doc)
  update.set(Buffer.from('x'), Buffer.from(update).indexOf('"said"'))
  return update
}

async function byWebSocket(running: Running, uid: string, token: string): Promise<void> {
  const updates = [
    syncMessage(2, textUpdate(TEXT)),
    syncMessage(2, brokenJson()),
    Buffer.from(TEXT),
    syncMessage(0, Buffer.from(TEXT)),
    new Uint8Array([1, TEXT.length, ...Buffer.from(TEXT)]),
  ]
  for (const update of updates) {
    for (const inQuery of [true, false]) {
      const client = await connectRaw(
        `${running.room(uid)}${inQuery ? `?token=${token}` : ''}`,
        inQuery ? {} : { protocols: [SUBPROTOCOL, `parley.token.${token}`] },
      )
      client.send(syncMessage(1, new Uint8Array([0, 0])))
      client.send(update)
      client.socket.send(TEXT)
      await client.closed
    }
  }
}

/** A fresh token on the connection there is, and then something that is none. */
async function inBand(running: Running, uid: string, token: string, fresh: string): Promise<void> {
  const client = await connectRaw(running.room(uid), { protocols: [SUBPROTOCOL, `parley.token.${token}`] })
  client.send(encodeToken(fresh))
  client.send(encodeToken(`${fresh}x`))
  client.socket.send(TEXT)
  await client.closed
}

async function byHttp(running: Running, uid: string, token: string): Promise<void> {
  const tokens = [{ token }, { authorization: `Bearer ${token}` }]
  const message = { channel_id: 'g', channel_type: 2, from_uid: 'bob', message_id: 1, message_seq: 1 }
  const payload = Buffer.from(JSON.stringify({ type: 1, content: TEXT })).toString('base64')
  const whole = { ...message, timestamp: 1, payload, recipients: [uid, 'full', 'unreadable'] }
  for (const headers of tokens) {
    await send(running, 'POST', '/conversation/sync', { uid, msg_count: 1, last_msg_seqs: TEXT }, headers)
    await send(running, 'POST', '/conversation/sync', `{"uid":"${TEXT}`, headers)
    await send(running, 'POST', '/conversation/sync', { uid: [TEXT] }, headers)
    await send(running, 'POST', `/v1/conversations/${TEXT}/2/extra?token=${token}`, { draft: TEXT }, headers)
    await send(running, 'POST', `/nowhere/${token}`, { draft: TEXT }, headers)
    await send(running, 'POST', '/v1/ingest/messages', whole, headers)
  }
  for (const given of [INGEST_TOKEN, WEBHOOK_TOKEN, token]) {
    const headers = { authorization: `Bearer ${given}` }
    await send(running, 'POST', '/v1/ingest/messages', whole, headers)
    await send(running, 'POST', '/v1/ingest/messages', { ...whole, recipients: [uid] }, headers)
    await send(
      running,
      'POST',
      '/v1/ingest/messages',
      { ...whole, payload: TEXT, message_seq: TEXT },
      headers,
    )
    await send(running, 'POST', `/v1/webhook/${given}?event=msg.notify`, [whole])
  }
  for (const given of [METRICS_TOKEN, token]) {
    await fetch(`${running.url}/metrics`, { headers: { authorization: `Bearer ${given}` } })
  }
}

describe('the log', () => {
  it('[A4] holds no token and no text, whatever comes in and whatever fails', {
    timeout: 30_000,
  }, async () => {
    const { options, all, messages } = logged()
    const store = indiscreetStore()
    const running = await startServer({
      ...options,
      store,
      auth: createJwtAuthenticate({ secret: SECRET }),
      gateway: { ingestToken: INGEST_TOKEN, webhookToken: WEBHOOK_TOKEN },
      metricsToken: METRICS_TOKEN,
      timing: { roomIdleMs: 1 },
    })
    // What another version of the server may have stored, and this one cannot apply.
    await store.append('damaged', brokenJson())
    for (let client = 1; client <= LONG_LOG_ROWS; client++)
      await store.append('long', textUpdate(TEXT, client))
    const everywhere = await tokenOf('service', { parley: { rooms: '*' } })
    const tokens = [
      await tokenOf('alice'),
      await tokenOf('alice', { parley: { readOnly: true } }),
      everywhere,
    ]
    for (const token of [...tokens, 'no-token-at-all', `${everywhere}x`]) {
      await byWebSocket(running, 'alice', token)
      await byHttp(running, 'alice', token)
    }
    for (const fresh of tokens) await inBand(running, 'alice', tokens[0] as string, fresh)
    await running.server.revoke('alice')
    for (const uid of ['full', 'unreadable', 'damaged', 'long']) {
      await byWebSocket(running, uid, everywhere)
      await byHttp(running, uid, everywhere)
    }
    await until('a room was to be compacted', () => messages().some((text) => text.includes('compacted')))
    await running.server.close()
    // Or the test would have shown nothing.
    const told = new Set(messages())
    for (const message of [
      'an update could not be stored',
      'a room could not be loaded',
      'rows of a log were put into quarantine',
      'a request failed',
      'the log of a room could not be compacted',
    ])
      expect(told).toContain(message)
    const log = all()
    for (const text of [TEXT, 'noon', Buffer.from(TEXT).toString('base64').slice(2, -2)])
      expect(log).not.toContain(text)
    for (const token of [...tokens, 'no-token-at-all', INGEST_TOKEN, WEBHOOK_TOKEN, METRICS_TOKEN, SECRET])
      expect(log).not.toContain(token)
    for (const token of tokens) for (const part of token.split('.')) expect(log).not.toContain(part)
  })

  it('[A4] holds no token that an application puts into its reasons', async () => {
    const { options, all, messages } = logged()
    const running = await startServer({
      ...options,
      auth: ({ token }) => {
        throw new AccessError('unauthenticated', `the token ${token} is unknown`)
      },
    })
    const token = await tokenOf('alice')
    const client = await connectRaw(`${running.room('alice')}?token=${token}`)
    expect((await client.closed).reason).toContain('the token ')
    expect(messages().join()).toContain('refused')
    expect(all()).toContain('the token … is unknown')
    expect(all()).not.toContain(token)
  })
})
