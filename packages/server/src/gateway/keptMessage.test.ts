import type { Message } from '@parley/core'
import { describe, expect, it } from 'vitest'
import { createKeepMessage, DIGEST_LENGTH } from './keptMessage.js'

const message: Message = {
  channel: { channelId: 'bob', channelType: 1 },
  messageSeq: 7,
  fromUid: 'bob',
  timestamp: 1_700_000_000_000,
  messageId: '12',
  clientMsgNo: 'no',
  version: 3,
  silent: true,
  mentionsMe: true,
  payload: {
    type: 1,
    content: `${'🙂'.repeat(DIGEST_LENGTH)} and more`,
    url: 'https://example.org/secret.png',
  },
  extra: { setting: 1 },
}
const { payload: _, extra: __, ...bare } = message

describe('what is kept of a message', () => {
  it('[K1] is all of it, a digest, or nothing but where it is, from whom, when, and its names', () => {
    expect(createKeepMessage('payload')(message)).toBe(message)
    expect(createKeepMessage('digest')(message)).toEqual({
      ...bare,
      payload: { type: 1, content: '🙂'.repeat(DIGEST_LENGTH) },
    })
    expect(createKeepMessage('nothing')(message)).toEqual(bare)
  })

  it('[K1] is one object for all recipients of one message', () => {
    const keep = createKeepMessage('digest')
    expect(keep(message)).toBe(keep(message))
  })

  it.each([
    [
      { type: 'text', text: 'hi', content: 5 },
      { type: 'text', text: 'hi' },
    ],
    [{ type: 'x'.repeat(33), nested: { content: 'secret' } }, undefined],
    ['a payload in base64 of nobody knows what', undefined],
    [[{ content: 'secret' }], undefined],
    [null, undefined],
  ])('[K1] is of the payload %j the digest %j', (payload, digest) => {
    expect(createKeepMessage('digest')({ ...message, payload }).payload).toEqual(digest)
  })
})
