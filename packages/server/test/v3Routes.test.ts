import { describe, expect, it } from 'vitest'
import { type Answer, type Device, messages, openDevice, send } from './support/gateway.js'
import { startServer } from './support/harness.js'

interface World {
  alice: Device
  post: (path: string, body: object) => Promise<Answer>
  /** Pages until it is done, as the demo does. */
  list: (
    covered?: string,
    limit?: number,
  ) => Promise<{ names: string[]; deletes: string[]; coverage: string; pages: number; reset: boolean }>
}

const group = (n: number) => ({ channelId: `g${n}`, channelType: 2 })

async function world(count: number): Promise<World> {
  const running = await startServer()
  const alice = await openDevice(running, 'alice')
  for (let n = 0; n < count; n++) await alice.act((store) => store.receive(messages(group(n), ['bob'])))
  const post = (path: string, body: object): Promise<Answer> =>
    send(running, 'POST', path, { uid: 'alice', ...body })
  return {
    alice,
    post,
    async list(covered = '', limit = 10) {
      const [names, deletes]: [Set<string>, Set<string>] = [new Set(), new Set()]
      let reset = false
      for (let cursor = '', pages = 1; ; pages++) {
        const { status, body } = await post('/conversation/list', {
          cursor,
          limit,
          completed_coverage: covered,
        })
        expect(status).toBe(200)
        for (const { channel_id } of body.conversations) {
          names.add(channel_id)
          deletes.delete(channel_id)
        }
        for (const { channel_id } of body.deletes) {
          deletes.add(channel_id)
          names.delete(channel_id)
        }
        reset ||= body.reset_required
        const { coverage } = body
        if (body.done) return { names: [...names], deletes: [...deletes], coverage, pages, reset }
        expect(body.next_cursor).not.toBe(cursor)
        cursor = body.next_cursor
      }
    },
  }
}

describe('WuKongIM 3: POST /conversation/list', () => {
  it('lists everything, page by page', async () => {
    const { list } = await world(25)
    const { names, pages, reset } = await list()
    expect([names.length, pages, reset]).toEqual([25, 3, false])
  })

  it('loses nothing that changes between two pages', async () => {
    const { alice, post } = await world(12)
    const first = await post('/conversation/list', { limit: 6 })
    await alice.act((store) => store.conversation(group(0)).markRead())
    await alice.act((store) => store.conversation(group(11)).delete())
    await alice.act((store) => store.receive(messages(group(6), ['bob'], 2)))
    const rest = await post('/conversation/list', { limit: 200, cursor: first.body.next_cursor })
    const names = (answer: Answer): string[] =>
      answer.body.conversations.map((item: { channel_id: string }) => item.channel_id)
    expect(new Set([...names(first), ...names(rest)]).size).toBe(11)
    expect(names(rest)).toContain('g0')
    expect(rest.body.deletes).toEqual([{ channel_id: 'g11', channel_type: 2 }])
  })

  it('tells from then on only what changed, deletions too', async () => {
    const { alice, list } = await world(5)
    const { coverage } = await list()
    expect(await list(coverage)).toMatchObject({ names: [], deletes: [] })
    await alice.act((store) => store.conversation(group(1)).delete())
    await alice.act((store) => store.conversation(group(2)).markRead())
    expect(await list(coverage)).toMatchObject({ names: ['g2'], deletes: ['g1'] })
  })

  it('says the numbers of each, and its last message', async () => {
    const { alice, post } = await world(1)
    await alice.act((store) => store.receive(messages(group(0), ['bob'], 2)))
    await alice.act((store) => store.conversation(group(0)).markRead(1))
    const { body } = await post('/conversation/list', {})
    expect(body.conversations).toEqual([
      expect.objectContaining({
        channel_id: 'g0',
        channel_type: 2,
        unread: 1,
        read_seq: 1,
        deleted_to_seq: 0,
        last_message: expect.objectContaining({ message_seq: 2, server_timestamp_ms: 1_700_000_002_000 }),
      }),
    ])
  })

  it('asks who is of another history to begin anew', async () => {
    const { list } = await world(3)
    const future = Buffer.from('v999999').toString('base64url')
    expect(await list(future)).toMatchObject({ reset: true })
    expect((await list(future)).names).toHaveLength(3)
  })

  it('refuses in the words of the original', async () => {
    const { post } = await world(1)
    expect((await post('/conversation/list', { uid: '' })).body).toEqual({
      msg: 'uid不能为空！',
      status: 400,
    })
    expect((await post('/conversation/list', { cursor: 'x' })).body).toEqual({
      msg: 'cursor格式错误！',
      status: 400,
    })
  })

  it('resolves single channels, and takes note of opened ones', async () => {
    const { alice, post } = await world(3)
    await alice.act((store) => store.conversation(group(1)).delete())
    const channels = [0, 1, 9].map((n) => ({ channel_id: `g${n}`, channel_type: 2 }))
    const { body } = await post('/conversation/retry', { channels })
    expect(body.conversations.map((item: { channel_id: string }) => item.channel_id)).toEqual(['g0'])
    expect([body.deletes, body.unresolved]).toEqual([[channels[1]], []])
    expect((await post('/conversations/activate', { ...channels[0] })).body).toEqual({ status: 200 })
  })
})
