import { CLOSE_CODES } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { createMemoryLog, type LogFields, silentLogger } from '../src/index.js'
import { send } from './support/gateway.js'
import {
  connectRaw,
  connectStock,
  startServer,
  storedDoc,
  syncMessage,
  textUpdate,
  until,
} from './support/harness.js'

const message = {
  message_id: 1,
  message_seq: 1,
  from_uid: 'bob',
  channel_id: 'g',
  channel_type: 2,
  timestamp: 1,
  payload: '',
}

describe('a server that stops', () => {
  it('[D3] counts as not ready first, and serves on until others had time to notice', {
    timeout: 30_000,
  }, async () => {
    // Long enough for all that follows on a busy machine.
    const { server, url, room, store } = await startServer({ timing: { stopDelayMs: 4000 } })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const closing = server.close()
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    const client = await connectRaw(room('alice'), { protocols: ['parley.1'] })
    client.send(syncMessage(2, textUpdate('while it stops')))
    client.send(112, 1)
    await client.frame((frame) => frame[0] === 112)
    await closing
    expect(await client.closed).toMatchObject({ code: CLOSE_CODES.serviceRestart })
    await expect(store.load('alice')).rejects.toMatchObject({ code: 'closed' })
    await expect(fetch(`${url}/readyz`)).rejects.toThrow()
  })

  it('[D3] takes no more connections afterwards', async () => {
    const { server, url, room } = await startServer({ timing: { drainMs: 500 } })
    // The first is closed at once, the second at the end.
    const [first, last] = [await connectRaw(room('alice')), await connectRaw(room('bob'))]
    const closing = server.close()
    await first.closed
    await expect(connectRaw(room('carol'))).rejects.toThrow('ECONNREFUSED')
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    await closing
    expect(await last.closed).toMatchObject({ code: CLOSE_CODES.serviceRestart })
  })

  it('[D2] stores and answers what it has taken, by WebSocket and by HTTP', async () => {
    const store = createMemoryLog()
    const kept = createMemoryLog()
    let waiting = 0
    let goOn = (): void => {}
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow = { ...store, close: async () => {} }
    slow.append = async (uid, update) => {
      waiting++
      await gate
      await kept.append(uid, update)
      return store.append(uid, update)
    }
    slow.appendOwn = async (uid, own) => {
      waiting++
      await gate
      return store.appendOwn(uid, own)
    }
    const running = await startServer({ store: slow })
    const client = connectStock(running, 'alice')
    await client.synced
    client.doc.getText('t').insert(0, 'just before')
    const answer = send(running, 'POST', '/v1/ingest/messages', { ...message, recipients: ['bob'] })
    await until('both wait to be stored', () => waiting === 2)
    const closing = running.server.close()
    goOn()
    expect((await answer).status).toBe(200)
    await closing
    expect((await storedDoc(kept, 'alice')).getText('t').toString()).toBe('just before')
    expect((await store.load('bob')).version).toBeGreaterThan(0)
  })

  it('[D4] ends when the store never answers, closing clients with 1012', async () => {
    const told: string[] = []
    const store = createMemoryLog()
    const append = (): Promise<never> => new Promise(() => {})
    const running = await startServer({
      store: { ...store, append },
      timing: { stopTimeoutMs: 300 },
      logger: { ...silentLogger, error: (_fields: LogFields, text: string) => void told.push(text) },
    })
    const client = await connectRaw(running.room('alice'), { protocols: ['parley.1'] })
    client.send(syncMessage(2, textUpdate('never stored')))
    client.send(112, 1)
    await running.server.close()
    expect(told).toContain('the store could not be finished in time')
    // Nothing was acknowledged that is not stored.
    expect(client.frames.some((frame) => frame[0] === 112)).toBe(false)
  })

  it('[D4] ends when clients neither read nor answer', async () => {
    const running = await startServer({ timing: { stopTimeoutMs: 300 } })
    const client = await connectRaw(running.room('alice'))
    client.socket.pause()
    await running.server.close()
    expect(running.server.address).toBe(null)
  })
})
