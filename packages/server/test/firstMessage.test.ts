import { encodeToken } from '@parley/core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { AccessError, type Authenticate } from '../src/index.js'
import { connectRaw, isLifetime, isSyncAnswer, startServer } from './support/harness.js'

const authenticate: Authenticate = ({ token, uid }) => {
  if (token === undefined) throw new AccessError('unauthenticated', 'there is no token')
  if (token !== `${uid}-token`) throw new AccessError('unauthenticated', 'the token is unknown')
  return { uid: uid ?? '' }
}

const text = (content: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, content)
  return Y.encodeStateAsUpdate(doc)
}

/** An update in y-websocket's frame; its length fits into one byte. */
const updateFrame = (update: Uint8Array): [number, number, number, Uint8Array] => [
  0,
  2,
  update.byteLength,
  update,
]

const start = () => startServer({ auth: authenticate, timing: { firstMessageMs: 300 } })

describe('the first message of a request without a token', () => {
  it('[NET10] [NET11] may be the token; the connection is one of parley.1 then, and its answer comes in any case', async () => {
    const { room } = await start()
    const client = await connectRaw(room('alice'))
    client.send(encodeToken('alice-token'))
    // Behind it, without waiting for the answer.
    client.send(0, 0, 1, 0)
    client.send(112, 7)
    expect([...(await client.frame(isLifetime))]).toEqual([113, 0])
    await client.frame(isSyncAnswer)
    const answer = await client.frame((frame) => frame[0] === 112)
    expect(answer[1]).toBe(7)
  })

  it('[NET10] ends the connection with 4401 if it is another message, and nothing of it is stored', async () => {
    const { room, store } = await start()
    const update = text('hello')
    for (const message of [updateFrame(update), [0, 0, 1, 0], [42], [113, 200]] as const) {
      const client = await connectRaw(room('alice'))
      client.send(...message)
      client.send(encodeToken('alice-token'))
      client.send(...updateFrame(update))
      expect(await client.closed).toEqual({ code: 4401, reason: 'there is no token' })
    }
    expect((await store.load('alice')).rows).toEqual([])
  })

  it('[NET10] ends the connection with 4401 if the token is wrong, too long, of another user, or does not come', async () => {
    const { room } = await start()
    for (const [token, reason] of [
      ['wrong', 'the token is unknown'],
      ['bob-token', 'the token is unknown'],
      ['x'.repeat(20_000), 'there is no token'],
      [null, 'there is no token'],
    ] as const) {
      const client = await connectRaw(room('alice'))
      if (token !== null) client.send(encodeToken(token))
      expect(await client.closed).toEqual({ code: 4401, reason })
    }
  })

  it('[NET10] [A12] is not collected beyond the length of a token', async () => {
    const { room, server } = await start()
    const client = await connectRaw(room('alice'))
    client.socket.send(new Uint8Array(1024 * 1024), { fin: false })
    expect((await client.closed).code).toBe(4401)
    expect(server.connections).toBe(0)
  })

  it('[NET10] does not matter to a request whose token is wrong', async () => {
    const { room } = await start()
    const client = await connectRaw(room('alice'), { protocols: ['parley.1', 'parley.token.wrong'] })
    client.send(encodeToken('alice-token'))
    expect(await client.closed).toEqual({ code: 4401, reason: 'the token is unknown' })
  })
})
