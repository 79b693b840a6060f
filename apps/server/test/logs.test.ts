import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { newFolder, parley, serve } from './support/parley.js'

const SECRET = 'the secret that tokens are signed with, 32 and more'
const INGEST_TOKEN = 'ingest-with-this'
const TEXT = 'meet me at noon'

/** A JSON Web Token, as an issuer makes it. */
function tokenOf(sub: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = part({ alg: 'HS256' })
  const body = part({ sub, exp: Math.floor(Date.now() / 1000) + 3600 })
  const signature = createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url')
  return `${head}.${body}.${signature}`
}

/** Connects, says something that is no message, and waits until it is closed; returns the code. */
async function speak(address: string, protocols: string[] = []): Promise<number> {
  const socket = new WebSocket(address, protocols)
  socket.on('open', () => socket.send(Buffer.from(TEXT)))
  return new Promise((resolve) => {
    socket.on('close', resolve)
    socket.on('error', () => {})
  })
}

describe('the log of a process', () => {
  it('[A4] [A11] is one JSON object a line, without tokens and texts, and with one for each refusal', {
    timeout: 60_000,
  }, async () => {
    const data = await newFolder()
    const serving = await serve(data, ['--auth', 'jwt'], {
      PARLEY_LOG_LEVEL: 'debug',
      PARLEY_JWT_SECRET: SECRET,
      PARLEY_INGEST_TOKEN: INGEST_TOKEN,
      PARLEY_WEBHOOK_TOKEN: `${INGEST_TOKEN}-webhook`,
      PARLEY_STOP_DELAY: '0',
      PARLEY_DRAIN: '0',
    })
    const [alice, forged] = [tokenOf('alice'), `${tokenOf('alice')}x`]
    const room = serving.room('alice')
    const codes = [
      await speak(`${room}?token=${alice}`),
      await speak(room, ['parley.1', `parley.token.${alice}`]),
      await speak(`${room}?token=${forged}`),
      await speak(`${serving.room('bob')}?token=${alice}`),
      await speak(room),
    ]
    expect(codes).toEqual([4400, 4400, 4401, 4403, 4401])
    const post = async (path: string, headers: Record<string, string>, body: string): Promise<number> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }
      return (await fetch(serving.url + path, init)).status
    }
    const said = JSON.stringify({ uid: 'alice', text: TEXT })
    expect([
      await post('/conversation/sync', { token: forged }, said),
      await post('/conversation/sync', { authorization: `Bearer ${alice}` }, `{"${TEXT}`),
      await post('/v1/ingest/messages', { authorization: `Bearer ${alice}` }, said),
      await post('/v1/ingest/messages', { authorization: `Bearer ${INGEST_TOKEN}` }, said),
      await post(`/v1/webhook/${forged}?event=${encodeURIComponent(TEXT)}`, {}, said),
    ]).toEqual([401, 400, 401, 400, 401])
    // By the other door.
    const imported = await parley(['import', '--create', '-', '--user', 'alice', '--data', data], {
      input: said,
    })
    expect(imported.code).toBe(1)
    expect(await serving.stop('SIGTERM')).toBe(0)

    const log = serving.log()
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const refusals = lines.filter(({ msg }) => msg === 'refused').map(({ at, code }) => `${at} ${code}`)
    expect(refusals).toEqual([
      'connection 4400',
      'connection 4400',
      'upgrade 4401',
      'upgrade 4403',
      'upgrade 4401',
      'http 401',
      'http 401',
      'http 401',
    ])
    expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['listening', 'stopping', 'stopped']))
    for (const secret of [TEXT, 'noon', SECRET, INGEST_TOKEN, ...alice.split('.')])
      expect(log).not.toContain(secret)
  })
})
