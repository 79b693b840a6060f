import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AccessError, createLocalBusHub, createMemoryLog, createMetrics, openLevelLog } from '../src/index.js'
import { send } from './support/gateway.js'
import { connectRaw, connectStock, type Running, startServer, until } from './support/harness.js'

const PAGE = fileURLToPath(new URL('../../../docs/operating.md', import.meta.url))

async function scrape({ url }: Running, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${url}/metrics`, { headers })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  return answer.text()
}

/** The value of one time series; `undefined` if there is none. */
function valueIn(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

async function startMeasured(): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-metrics-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const metrics = createMetrics()
  const store = await openLevelLog({ folder, onBatch: metrics.batchWritten })
  return startServer({ store, metrics })
}

describe('metrics', () => {
  it('[T1] count what happens on the way', async () => {
    const running = await startMeasured()
    const clients = ['alice', 'bob', 'bob'].map((uid) => connectStock(running, uid))
    await Promise.all(clients.map(({ synced }) => synced))
    for (const { doc } of clients) doc.getText('t').insert(0, 'x'.repeat(1000))
    await until(
      'all is stored',
      async () => valueIn(await scrape(running), 'parley_stored_updates_total') === 3,
    )
    const message = { channel_id: 'bob', channel_type: 1, from_uid: 'bob', message_seq: 1, message_id: 1 }
    const ingested = { messages: [{ ...message, timestamp: 1, payload: {} }], recipients: ['alice'] }
    expect((await send(running, 'POST', '/v1/ingest/messages', ingested)).status).toBe(200)
    const text = await scrape(running)
    for (const [series, value] of [
      ['parley_connections', 3],
      ['parley_connections_accepted_total', 3],
      ['parley_rooms', 2],
      ['parley_documents', 2],
      ['parley_stored_updates_total', 4],
      ['parley_commit_duration_seconds_count', 4],
      ['parley_ingested_messages_total', 1],
      ['parley_http_requests_total{method="POST",route="/v1/ingest/messages",status="200"}', 1],
    ] as const)
      expect([series, valueIn(text, series)]).toEqual([series, value])
    // Those that were written together are one batch.
    expect(valueIn(text, 'parley_commit_group_updates_sum')).toBe(4)
    expect(valueIn(text, 'parley_commit_group_updates_count')).toBeLessThanOrEqual(4)
    // Three updates came, and one of them went to the other device.
    expect(valueIn(text, 'parley_received_bytes_total')).toBeGreaterThan(3000)
    expect(valueIn(text, 'parley_sent_bytes_total')).toBeGreaterThan(1000)
    const before = valueIn(text, 'parley_received_bytes_total')
    for (const { provider } of clients) provider.destroy()
    await until('all have left', async () => valueIn(await scrape(running), 'parley_connections') === 0)
    // What came over connections that have ended still counts.
    expect(valueIn(await scrape(running), 'parley_received_bytes_total')).toBeGreaterThan(Number(before))
  })

  it('[T1] [A11] count what was refused, by place, kind and code', async () => {
    const running = await startServer({ metricsToken: 'needed' })
    await (await connectRaw(`${running.url.replace('http', 'ws')}/elsewhere`)).closed
    const client = await connectRaw(running.room('alice'))
    client.send(9)
    expect((await client.closed).code).toBe(4400)
    expect((await fetch(`${running.url}/metrics`)).status).toBe(401)
    const text = await scrape(running, { authorization: 'Bearer needed' })
    for (const labels of [
      'at="upgrade",kind="not-found",code="4404"',
      'at="connection",kind="malformed",code="4400"',
      'at="http",kind="unauthenticated",code="401"',
    ])
      expect([labels, valueIn(text, `parley_refusals_total{${labels}}`)]).toEqual([labels, 1])
  })

  it('[T1] count what goes to other nodes and comes from them', async () => {
    const hub = createLocalBusHub()
    const store = createMemoryLog()
    const [one, other] = [
      await startServer({ store, bus: hub.connect() }),
      await startServer({ store, bus: hub.connect() }),
    ]
    const [writer, reader] = [connectStock(one, 'alice'), connectStock(other, 'alice')]
    await Promise.all([writer.synced, reader.synced])
    writer.doc.getText('t').insert(0, 'hello')
    await until('the other node shows it', () => reader.doc.getText('t').toString() === 'hello')
    expect(
      valueIn(await scrape(one), 'parley_bus_messages_total{direction="published",type="row"}'),
    ).toBeGreaterThan(0)
    expect(
      valueIn(await scrape(other), 'parley_bus_messages_total{direction="received",type="row"}'),
    ).toBeGreaterThan(0)
  })

  it('[T1] have no time series for a room, a user or an address', async () => {
    const running = await startMeasured()
    const series = async (): Promise<number> => (await scrape(running)).split('\n').length
    const visit = async (uid: string): Promise<void> => {
      const client = connectStock(running, uid)
      await client.synced
      client.doc.getText('t').insert(0, uid)
      client.provider.destroy()
      await fetch(`${running.url}/nowhere/${uid}`)
      await fetch(`${running.url}/sync/${uid}`)
    }
    await visit('first')
    await series()
    const before = await series()
    for (let n = 0; n < 20; n++) await visit(`visitor-${n}`)
    expect(await series()).toBe(before)
    expect(await scrape(running)).not.toContain('visitor')
  })

  it('[T1] are those of docs/operating.md', async () => {
    const page = await readFile(PAGE, 'utf8')
    const told = new Set(page.match(/(?<=^\|.*`)parley_[a-z_]+(?=[`{])/gm))
    const text = await scrape(await startMeasured())
    const given = new Set([...text.matchAll(/^# TYPE (parley_\w+)/gm)].map(([, name]) => name))
    expect([...given].sort()).toEqual([...told].sort())
    for (const [, name, type] of text.matchAll(/^# TYPE (parley_\w+) (\w+)/gm))
      expect(page).toMatch(new RegExp(`^\\| .*${name}[^|]*\\| ${type} \\|`, 'm'))
    for (const name of page.match(/\b(process|nodejs)_[a-z0-9_]+/g) ?? []) expect(text).toContain(name)
  })

  it('[T1] belong to one server each, and those of the process to all', async () => {
    const [one, other] = [await startServer(), await startServer()]
    await connectStock(one, 'alice').synced
    expect(valueIn(await scrape(one), 'parley_connections')).toBe(1)
    expect(valueIn(await scrape(other), 'parley_connections')).toBe(0)
    for (const running of [one, other])
      expect(valueIn(await scrape(running), 'process_resident_memory_bytes')).toBeGreaterThan(1e6)
  })

  it('[T2] are for whoever knows the token, where anybody is asked who they are', async () => {
    const auth = (): never => {
      throw new AccessError('unauthenticated', 'nobody may')
    }
    const closed = await startServer({ auth })
    expect((await fetch(`${closed.url}/metrics`)).status).toBe(404)
    const running = await startServer({ auth, metricsToken: 'for prometheus' })
    for (const authorization of ['', 'Bearer', 'Bearer wrong', 'for prometheus', 'Basic for prometheus']) {
      const answer = await fetch(`${running.url}/metrics`, { headers: { authorization } })
      expect([authorization, answer.status]).toEqual([authorization, 401])
      expect(await answer.text()).not.toContain('parley_')
    }
    expect((await fetch(`${running.url}/metrics?token=for%20prometheus`)).status).toBe(401)
    const other = await startServer({ auth, metricsToken: 'for-prometheus' })
    expect(await scrape(other, { authorization: 'Bearer for-prometheus' })).toContain('parley_connections 0')
  })
})
