import { gzipSync } from 'node:zlib'
import type { HttpInput, HttpRequest } from './inputs.js'
import { fillConversations, message } from './rooms.js'
import { WEBHOOK_TOKEN } from './runner/tokens.js'

const WEBHOOK = `/v1/webhook/${WEBHOOK_TOKEN}`
const CHANNEL = { channel_id: 'g', channel_type: 2 }

/** Bodies that are hard to parse, whatever the endpoint. */
const JSON_BODIES: ReadonlyArray<
  Pick<HttpInput, 'name' | 'shape' | 'n' | 'sample'> & { body: (n: number) => string }
> = [
  {
    name: 'string that does not end',
    shape: 'truncated',
    n: 10_000,
    sample: true,
    body: (n) => `{"a":1234567890123456,"b":"${'\\"'.repeat(n)}`,
  },
  {
    name: 'escapes that do not end',
    shape: 'truncated',
    n: 50_000,
    body: (n) => `{"a":1234567890123456,"b":"${'\\'.repeat(n)}`,
  },
  {
    name: 'arrays in arrays',
    shape: 'deep',
    n: 200_000,
    sample: true,
    body: (n) => '['.repeat(n) + ']'.repeat(n),
  },
  { name: 'objects that do not end', shape: 'deep', n: 50_000, body: (n) => '{"a":'.repeat(n) },
  { name: 'one long integer', shape: 'long', n: 50_000, sample: true, body: (n) => `{"a":${'9'.repeat(n)}}` },
  {
    name: 'one long fraction',
    shape: 'long',
    n: 50_000,
    body: (n) => `{"a":1234567890123456789,"b":0.${'9'.repeat(n)}}`,
  },
  {
    name: 'many long integers',
    shape: 'repeated',
    n: 10_000,
    sample: true,
    body: (n) => `{"a":[${list(n, () => '12345678901234567890').join()}]}`,
  },
  {
    name: 'one member many times',
    shape: 'contradictory',
    n: 20_000,
    body: (n) => `{${list(n, (i) => `"uid":"u${i}"`).join()}}`,
  },
  {
    name: 'members with numbers as names',
    shape: 'long',
    n: 20_000,
    body: (n) => `{${list(n, (i) => `"${i * 7}":12345678901234567890`).join()}}`,
  },
  { name: 'quotation marks', shape: 'repeated', n: 100_000, body: (n) => `1234567890123456${'"'.repeat(n)}` },
  { name: 'minus signs', shape: 'repeated', n: 100_000, body: (n) => `1234567890123456${'-'.repeat(n)}` },
  { name: 'spaces', shape: 'long', n: 200_000, body: (n) => `1234567890123456${' '.repeat(n)}x` },
]

/** Plain HTTP requests; `inputs.ts` says how to add one. */
export const HTTP_INPUTS: readonly HttpInput[] = [
  ...JSON_BODIES.map(
    ({ body, name, ...input }): HttpInput => ({
      ...input,
      kind: 'http',
      name: `json/${name}`,
      route: 'POST /conversation/sync',
      as: 'user',
      requests: (n) => [{ body: body(n) }],
      statuses: [200, 400, 403, 413],
    }),
  ),
  {
    kind: 'http',
    name: 'json/string that does not end, from a caller without a token',
    shape: 'truncated',
    route: 'POST /v1/message/reminder/sync',
    as: 'nobody',
    n: 20_000,
    sample: true,
    requests: (n) => [{ body: `{"a":1234567890123456,"b":"${'\\"'.repeat(n)}` }],
    statuses: [401],
  },
  {
    kind: 'http',
    name: 'json/large body that is cut off',
    shape: 'truncated',
    route: 'POST /v1/ingest/messages',
    as: 'service',
    n: 500_000,
    requests: (n) => times(4, { body: `{"messages":"${'x'.repeat(n)}"}`, cut: true }),
    statuses: ['none'],
  },
  {
    kind: 'http',
    name: 'json/string that does not end, on an open server',
    shape: 'truncated',
    route: 'POST /conversation/sync',
    auth: 'open',
    as: 'nobody',
    n: 10_000,
    requests: (n) => [{ body: `{"a":1234567890123456,"b":"${'\\"'.repeat(n)}` }],
    statuses: [400],
  },

  // Clients of the second generation.
  ...(
    [
      ['last_msg_seqs of separators', 'repeated', 50_000, (n: number) => '|'.repeat(n)],
      ['last_msg_seqs of empty entries', 'repeated', 20_000, (n: number) => ':1|'.repeat(n)],
      ['last_msg_seqs of digits', 'long', 50_000, (n: number) => '1'.repeat(n)],
      ['last_msg_seqs of colons', 'repeated', 50_000, (n: number) => ':'.repeat(n)],
      ['last_msg_seqs of one channel', 'repeated', 10_000, (n: number) => list(n, () => 'g:2:1').join('|')],
      [
        'last_msg_seqs of unknown channels',
        'overlapping',
        5_000,
        (n: number) => list(n, (i) => `a|b${i}:2:1`).join('|'),
      ],
      [
        'last_msg_seqs of one-letter entries',
        'overlapping',
        10_000,
        (n: number) => list(n, () => 'a:1:1').join('|'),
      ],
    ] as const
  ).map(
    ([name, shape, n, seqs]): HttpInput => ({
      kind: 'http',
      name: `sync/${name}`,
      shape,
      route: 'POST /conversation/sync',
      as: 'user',
      n,
      sample: name.endsWith('separators'),
      prepare: (target) => fillConversations(target, 1),
      requests: (size, uid) => [
        { body: JSON.stringify({ uid, version: 1, msg_count: 1, last_msg_seqs: seqs(size) }) },
      ],
      statuses: [200, 400],
    }),
  ),
  {
    kind: 'http',
    name: 'sync/long list of excluded types',
    shape: 'repeated',
    route: 'POST /conversation/sync',
    as: 'user',
    n: 20_000,
    prepare: (target) => fillConversations(target, 100),
    requests: (n, uid) => [
      { body: JSON.stringify({ uid, msg_count: 1, exclude_channel_types: list(n, () => 9) }) },
    ],
    statuses: [200, 400],
  },
  {
    kind: 'http',
    name: 'sync/all of many conversations',
    shape: 'long',
    route: 'POST /v1/conversation/sync',
    as: 'user',
    n: 1_000,
    prepare: fillConversations,
    requests: () => [{ body: '{"version":0,"msg_count":1}' }],
    statuses: [200],
  },
  {
    kind: 'http',
    name: 'sync/many at once that nobody reads',
    shape: 'repeated',
    route: 'POST /conversation/sync',
    as: 'user',
    n: 10,
    prepare: (target) => fillConversations(target, 1_000),
    requests: (n, uid) => times(n, { body: JSON.stringify({ uid, version: 0, msg_count: 1 }), unread: true }),
    statuses: [200, 429],
  },
  ...(['channels', 'syncByChannels', 'syncMessages', 'retry'] as const).flatMap((name): HttpInput[] => [
    {
      kind: 'http',
      name: `${name}/one channel many times`,
      shape: 'repeated',
      route: `POST /conversation/${name}`,
      as: 'user',
      n: 1_000,
      sample: name === 'syncByChannels',
      prepare: (target) => fillConversations(target, 1),
      requests: (n, uid) => [
        { body: JSON.stringify({ uid, msg_count: 1, channels: list(n, () => CHANNEL) }) },
      ],
      statuses: [200, 400],
    },
    {
      kind: 'http',
      name: `${name}/many channels`,
      shape: 'long',
      route: `POST /conversation/${name}`,
      as: 'user',
      n: 1_000,
      prepare: fillConversations,
      requests: (n, uid) => [
        {
          body: JSON.stringify({
            uid,
            msg_count: 10,
            channels: list(n, (i) => ({ channel_id: `g${i}`, channel_type: 2 })),
          }),
        },
      ],
      statuses: [200, 400],
    },
  ]),
  {
    kind: 'http',
    name: 'list/long cursor',
    shape: 'long',
    route: 'POST /conversation/list',
    as: 'user',
    n: 100_000,
    requests: (n, uid) => [{ body: JSON.stringify({ uid, cursor: 'djEx'.repeat(n) }) }],
    statuses: [400, 413],
  },
  ...(
    [
      [
        'POST /conversations/activate',
        'long',
        (n: number) => ({ ...CHANNEL, channel_id: 'x'.repeat(n) }),
        [200, 400],
      ],
      [
        'POST /conversations/setUnread',
        'long',
        (n: number) => ({ ...CHANNEL, unread: '9'.repeat(n) }),
        [400],
      ],
      [
        'POST /conversations/clearUnread',
        'long',
        (n: number) => ({ ...CHANNEL, channel_id: '&'.repeat(n) }),
        [400],
      ],
      [
        'POST /conversations/delete',
        'deep',
        (n: number) => ({ ...CHANNEL, channel_id: nested(n / 100) }),
        [400],
      ],
    ] as const
  ).map(
    ([route, shape, body, statuses]): HttpInput => ({
      kind: 'http',
      name: `${route.split('/').at(-1)}/hostile members`,
      shape,
      route,
      as: 'user',
      n: 50_000,
      requests: (n, uid) => [{ body: JSON.stringify({ uid, ...body(n) }) }],
      statuses,
    }),
  ),

  // TangSengDaoDao's clients.
  {
    kind: 'http',
    name: 'syncack/long members',
    shape: 'long',
    route: 'POST /v1/conversation/syncack',
    as: 'user',
    n: 100_000,
    requests: (n) => [{ body: JSON.stringify({ cmd_version: 'x'.repeat(n) }) }],
    statuses: [200],
  },
  ...(['coversation', 'conversation'] as const).map(
    (spelling): HttpInput => ({
      kind: 'http',
      name: `${spelling} clearUnread/one channel many times at once`,
      shape: 'contradictory',
      route: `PUT /v1/${spelling}/clearUnread`,
      as: 'user',
      n: 25,
      prepare: (target) => fillConversations(target, 1),
      requests: (n) => list(n, (i) => ({ body: JSON.stringify({ ...CHANNEL, unread: i }) })),
      statuses: [200, 429],
    }),
  ),
  {
    kind: 'http',
    name: 'delete/many channels that there are not',
    shape: 'repeated',
    route: 'DELETE /v1/conversations/:channel_id/:channel_type',
    as: 'user',
    n: 25,
    requests: (n) => list(n, (i) => ({ path: `/v1/conversations/${'%2F'.repeat(60)}${i}/2` })),
    statuses: [200, 429],
  },
  {
    kind: 'http',
    name: 'extra/long drafts',
    shape: 'contradictory',
    route: 'POST /v1/conversations/:channel_id/:channel_type/extra',
    as: 'user',
    n: 5,
    prepare: (target) => fillConversations(target, 1),
    requests: (n) =>
      list(n, (i) => ({
        path: '/v1/conversations/g/2/extra',
        body: JSON.stringify({ draft: `${i} `.repeat(4_000) }),
      })),
    statuses: [200, 400, 429],
  },
  {
    kind: 'http',
    name: 'extra sync/many conversations',
    shape: 'long',
    route: 'POST /v1/conversation/extra/sync',
    as: 'user',
    n: 1_000,
    prepare: fillConversations,
    requests: () => [{ body: '{"version":0}' }],
    statuses: [200],
  },
  {
    kind: 'http',
    name: 'reminder sync/many conversations',
    shape: 'long',
    route: 'POST /v1/message/reminder/sync',
    as: 'user',
    n: 1_000,
    prepare: fillConversations,
    requests: () => [{ body: '{"version":0,"limit":100000}' }],
    statuses: [200],
  },
  {
    kind: 'http',
    name: 'reminder done/the same ids',
    shape: 'repeated',
    route: 'POST /v1/message/reminder/done',
    as: 'user',
    n: 10_000,
    requests: (n) => [{ body: `[${list(n, (i) => String(i % 7)).join()}]` }],
    statuses: [200, 400],
  },

  // What an IM server sends.
  ...(
    [
      ['one message many times', 'repeated', 500, (n: number) => list(n, () => message('u', 1))],
      [
        'messages that contradict each other',
        'contradictory',
        500,
        (n: number) =>
          list(n, (i) => message('u', 1, { payload: { type: 1, content: `${i}` }, message_id: i + 1 })),
      ],
      ['messages out of order', 'overlapping', 500, (n: number) => list(n, (i) => message('u', n - i))],
      [
        'one recipient many times',
        'repeated',
        5_000,
        (n: number) => [message('u', 1, { recipients: list(n, () => 'u') })],
      ],
      ['payload in payload', 'deep', 20_000, (n: number) => [message('u', 1, { payload: nested(n) })]],
      [
        'payload in base64 that does not end',
        'truncated',
        10_000,
        (n: number) => [
          message('u', 1, { payload: base64(`{"a":1234567890123456,"b":"${'\\"'.repeat(n)}`) }),
        ],
      ],
      [
        'payload of line breaks',
        'repeated',
        100_000,
        (n: number) => [message('u', 1, { payload: '\r\n'.repeat(n) })],
      ],
      [
        'payload of equals signs',
        'repeated',
        100_000,
        (n: number) => [message('u', 1, { payload: `${'='.repeat(n)}x` })],
      ],
      [
        'long text',
        'long',
        100_000,
        (n: number) => [message('u', 1, { payload: { type: 1, content: 'x'.repeat(n) } })],
      ],
      [
        'many mentions',
        'repeated',
        10_000,
        (n: number) => [
          message('u', 1, {
            payload: { type: 1, content: '', mention: { uids: list(n, () => 'u') } },
            recipients: list(20, (i) => `u${i}`),
          }),
        ],
      ],
      [
        'many members',
        'long',
        10_000,
        (n: number) => [{ ...message('u', 1), ...Object.fromEntries(list(n, (i) => [`m${i}`, i])) }],
      ],
    ] as const
  ).map(
    ([name, shape, n, messages]): HttpInput => ({
      kind: 'http',
      name: `ingest/${name}`,
      shape,
      route: 'POST /v1/ingest/messages',
      as: 'service',
      n,
      sample: name === 'payload in base64 that does not end' || name === 'one message many times',
      requests: (size) => [{ body: JSON.stringify({ messages: messages(size) }) }],
      statuses: [200, 400],
    }),
  ),
  {
    kind: 'http',
    name: 'ingest/large bodies without a token',
    shape: 'long',
    route: 'POST /v1/ingest/messages',
    as: 'nobody',
    n: 1_000_000,
    sample: true,
    requests: (n) =>
      list(4, (i) => ({ body: `[${'1234567890123456789,'.repeat(n / 20)}1]`, chunked: i % 2 === 1 })),
    // The connection may be closed while the client still sends, and before it reads the response.
    statuses: [401, 'none'],
  },
  {
    kind: 'http',
    name: 'members/one member many times',
    shape: 'repeated',
    route: 'PUT /v1/channels/:channel_type/:channel_id/members',
    as: 'service',
    n: 10_000,
    requests: (n) => [
      { path: '/v1/channels/2/g/members', body: JSON.stringify(list(n, (i) => `u${i % 3}`)) },
    ],
    statuses: [200, 400],
  },
  {
    kind: 'http',
    name: 'webhook/messages of which one is wrong',
    shape: 'contradictory',
    route: 'POST /v1/webhook/:secret',
    as: 'nobody',
    n: 250,
    requests: (n) => [
      {
        path: `${WEBHOOK}?event=msg.notify`,
        body: JSON.stringify([...list(n, (i) => message('u', i + 1)), { channel_id: '' }]),
      },
    ],
    statuses: [200, 400],
  },
  {
    kind: 'http',
    name: 'webhook/string that does not end, with a bearer token',
    shape: 'truncated',
    route: 'POST /v1/webhook',
    as: 'service',
    n: 10_000,
    requests: (n) => [{ body: `{"a":1234567890123456,"b":"${'\\"'.repeat(n)}` }],
    statuses: [400],
  },
  {
    kind: 'http',
    name: 'webhook/packed list of recipients',
    shape: 'long',
    route: 'POST /v1/webhook/:secret',
    as: 'nobody',
    n: 1_000_000,
    sample: true,
    requests: (n) => [
      {
        path: `${WEBHOOK}?event=msg.offline`,
        body: JSON.stringify({
          ...message('u', 1),
          compress: 'gzip',
          compress_to_uids: gzipSync(`[${'"u",'.repeat(n / 4)}"u"]`).toString('base64'),
        }),
      },
    ],
    statuses: [200, 400],
  },

  // All other routes.
  ...(['/healthz', '/readyz', '/openapi.json'] as const).map(
    (path): HttpInput => ({
      kind: 'http',
      name: `${path.slice(1)}/many at once`,
      shape: 'repeated',
      route: `GET ${path}`,
      as: 'nobody',
      n: 50,
      requests: (n) => times(n, { headers: { 'x-long': 'x'.repeat(8_000) } }),
      statuses: [200],
    }),
  ),
  {
    kind: 'http',
    name: 'metrics/wrong tokens',
    shape: 'repeated',
    route: 'GET /metrics',
    as: 'nobody',
    n: 50,
    requests: (n) => times(n, { headers: { authorization: `Bearer ${'x'.repeat(8_000)}` } }),
    statuses: [401],
  },
  {
    kind: 'http',
    name: 'web files/addresses that lead upwards',
    shape: 'repeated',
    route: 'GET /*',
    as: 'nobody',
    n: 1_000,
    requests: (n) =>
      times(20, { path: `/${'%2e%2e/'.repeat(n / 4)}etc/passwd`, headers: { accept: 'text/html' } }),
    statuses: [200, 403, 404],
  },
  {
    kind: 'http',
    name: 'cors/long lists of headers',
    shape: 'repeated',
    route: 'OPTIONS *',
    as: 'nobody',
    n: 1_000,
    requests: (n) =>
      times(20, {
        path: '/conversation/sync',
        headers: { 'access-control-request-headers': 'a,'.repeat(n) },
      }),
    statuses: [204],
  },
  {
    kind: 'http',
    name: 'upgrade/many subprotocols',
    shape: 'repeated',
    route: 'GET /sync/*',
    as: 'nobody',
    n: 1_000,
    requests: (n) =>
      times(20, {
        path: '/sync/alice',
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-protocol': list(n / 2, () => 'a ,').join(' '),
        },
      }),
    statuses: [101, 400],
  },
  {
    kind: 'http',
    name: 'upgrade/plain requests with long queries',
    shape: 'long',
    route: 'GET /sync/*',
    as: 'nobody',
    n: 3_000,
    requests: (n) => times(20, { path: `/sync/alice?${'token=%41&'.repeat(n / 10)}` }),
    statuses: [426],
  },
]

/** `count` times the same request. */
function times(count: number, request: HttpRequest): HttpRequest[] {
  return list(count, () => request)
}

function list<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** An object in an object, so many times. */
function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < Math.min(depth, MAX_STRINGIFIED); level++) value = { a: value }
  return value
}

/** `JSON.stringify` of this process must not be what overflows. */
const MAX_STRINGIFIED = 2_000

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
