import * as encoding from 'lib0/encoding'
import type { MessageInput, Shape, Target } from './inputs.js'
import { acknowledgeFrame, isAcknowledged, openClient, syncFrame } from './runner/socket.js'
import { signToken } from './runner/tokens.js'
import {
  arrayType,
  ascendingClients,
  chain,
  encodeUpdate,
  format,
  garbage,
  list,
  nestedValue,
  nulls,
  secondEncoding,
  siblings,
  stateVector,
  text,
  typedApart,
  wakeUps,
} from './updateShapes.js'

const AWARENESS = 1
const QUERY_AWARENESS = 3
const TOKEN = 113
const DIGEST = 114

const TOO_LARGE = 4413
const MALFORMED = 4400
const SYNC_AGAIN = 4503
const MAY_ONLY_READ = 4403

type Update = (n: number) => Uint8Array

/** Updates: what they are, their shape, the smallest size, what may follow, and the update that the room has before. */
const UPDATES: ReadonlyArray<
  readonly [
    name: string,
    shape: Shape,
    n: number,
    update: Update,
    outcomes: MessageInput['outcomes'],
    before?: Update,
  ]
> = [
  ['two clients at one position', 'contradictory', 1_000, siblings, ['acknowledged', TOO_LARGE]],
  [
    'clients at one position, in ascending order',
    'contradictory',
    1_000,
    ascendingClients,
    ['acknowledged', TOO_LARGE],
  ],
  [
    'forks at the start of a chain',
    'contradictory',
    1_000,
    (n) => encodeUpdate([{ client: 9, structs: list(n, () => text('b', { after: [1, 0] })) }]),
    ['acknowledged', TOO_LARGE],
    (n) =>
      encodeUpdate([{ client: 1, structs: list(n, (i) => text('a', i === 0 ? {} : { after: [1, 0] })) }]),
  ],
  ['clients that wake each other', 'contradictory', 1_000, wakeUps, ['acknowledged', TOO_LARGE]],
  ['two devices that typed apart', 'long', 1_000, typedApart, ['acknowledged']],
  ['a chain of one client', 'long', 10_000, chain, ['acknowledged']],
  [
    'one key with many values',
    'repeated',
    1_000,
    (n) => encodeUpdate([{ client: 1, structs: list(n, () => text('a', { key: 'k' })) }]),
    ['acknowledged', TOO_LARGE],
  ],
  [
    'types in types',
    'deep',
    10_000,
    (n) =>
      encodeUpdate([
        { client: 1, structs: list(n, (i) => arrayType(i === 0 ? {} : { parent: [1, i - 1] })) },
      ]),
    [MALFORMED],
  ],
  [
    'values in values',
    'deep',
    20_000,
    (n) => encodeUpdate([{ client: 1, structs: [nestedValue(n)] }]),
    [MALFORMED],
  ],
  [
    'many values',
    'long',
    100_000,
    (n) => encodeUpdate([{ client: 1, structs: [nulls(n)] }]),
    ['acknowledged'],
  ],
  [
    'values that are joined one by one',
    'repeated',
    5_000,
    (n) =>
      encodeUpdate([{ client: 1, structs: list(n, (i) => nulls(1, i === 0 ? {} : { after: [1, i - 1] })) }]),
    ['acknowledged', TOO_LARGE],
  ],
  [
    'structs of two bytes',
    'repeated',
    100_000,
    (n) => encodeUpdate([{ client: 1, structs: list(n, () => garbage(1)) }]),
    ['acknowledged', TOO_LARGE],
  ],
  [
    'many clients',
    'long',
    10_000,
    (n) => encodeUpdate(list(n, (client) => ({ client, structs: [text('a')] }))),
    ['acknowledged'],
  ],
  [
    'clocks beyond all others',
    'contradictory',
    5_000,
    (n) => encodeUpdate(list(n, (client) => ({ client, clock: 2 ** 50, structs: [garbage(2 ** 50)] }))),
    [SYNC_AGAIN, MALFORMED],
  ],
  [
    'one deleted range many times',
    'overlapping',
    400,
    (n) => encodeUpdate([], [{ client: 1, ranges: list(n, () => [0, 20_000] as const) }]),
    [MALFORMED],
    () =>
      encodeUpdate([
        { client: 1, structs: list(20_000, (i) => text('x', i === 0 ? {} : { after: [1, i - 1] })) },
      ]),
  ],
  [
    'deleted ranges of one long text',
    'repeated',
    5_000,
    (n) => encodeUpdate([], [{ client: 1, ranges: list(n, (i) => [2 * i, 1] as const) }]),
    ['acknowledged', TOO_LARGE],
    (n) => encodeUpdate([{ client: 1, structs: [text('x'.repeat(2 * n))] }]),
  ],
  [
    'deleted ranges of one long list',
    'repeated',
    1_000,
    (n) => encodeUpdate([], [{ client: 1, ranges: list(n, (i) => [2 * i, 1] as const) }]),
    ['acknowledged', TOO_LARGE],
    (n) => encodeUpdate([{ client: 1, structs: [nulls(2 * n)] }]),
  ],
  [
    'formats between deleted letters',
    'repeated',
    500,
    (n) =>
      encodeUpdate([
        { client: 1, structs: list(n, (i) => format(`f${i}`, i === 0 ? {} : { after: [1, i - 1] })) },
      ]),
    ['acknowledged', TOO_LARGE],
  ],
  ['an update that is cut off', 'truncated', 10_000, (n) => chain(n).subarray(0, -n), [MALFORMED]],
  [
    'bytes behind the end',
    'truncated',
    100_000,
    (n) => Uint8Array.from([...encodeUpdate([]), ...new Uint8Array(n)]),
    [MALFORMED],
  ],
  ['the second encoding', 'contradictory', 1_000, secondEncoding, [MALFORMED]],
]

/** Those that CI runs too: one of each kind of fault. */
const SAMPLES = new Set([
  'two clients at one position',
  'clients that wake each other',
  'types in types',
  'structs of two bytes',
  'one deleted range many times',
  'deleted ranges of one long text',
  'bytes behind the end',
])

/** Sends an update to the user's room, and waits until it is stored. */
async function fillRoom({ url, uid, token }: Target, update: Uint8Array): Promise<void> {
  const client = await openClient(url, uid, token)
  const stored = client.next((frame) => isAcknowledged(frame, 1))
  client.send(syncFrame(2, update))
  client.send(acknowledgeFrame(1))
  await stored
  client.close()
}

/** WebSocket messages and Yjs updates; `inputs.ts` says how to add one. */
export const MESSAGE_INPUTS: readonly MessageInput[] = [
  ...UPDATES.map(
    ([name, shape, n, update, outcomes, before]): MessageInput => ({
      kind: 'message',
      name: `update/${name}`,
      shape,
      type: 'update',
      as: 'user',
      n,
      sample: SAMPLES.has(name),
      ...(before && { prepare: (target, size) => fillRoom(target, before(size)) }),
      frames: (size) => [syncFrame(2, update(size))],
      outcomes,
    }),
  ),
  {
    kind: 'message',
    name: 'update/two clients at one position, an update for each item',
    shape: 'contradictory',
    type: 'update',
    as: 'user',
    n: 250,
    prepare: (target) =>
      fillRoom(target, encodeUpdate([{ client: 1, structs: list(4_000, () => text('a')) }])),
    frames: (n) =>
      list(n, (i) =>
        syncFrame(
          2,
          encodeUpdate([
            { client: 2, clock: i, structs: [i === 0 ? text('z', { after: [1, 3_999] }) : text('b')] },
          ]),
        ),
      ),
    outcomes: ['acknowledged', TOO_LARGE],
  },
  {
    kind: 'message',
    name: 'update/two clients at one position, from one who may only read',
    shape: 'contradictory',
    type: 'update',
    as: 'reader',
    n: 1_000,
    sample: true,
    frames: (n) => [syncFrame(2, siblings(n))],
    outcomes: [MAY_ONLY_READ],
  },
  {
    kind: 'message',
    name: 'answer/two clients at one position',
    shape: 'contradictory',
    type: 'answer',
    as: 'user',
    n: 1_000,
    frames: (n) => [syncFrame(1, siblings(n))],
    outcomes: ['acknowledged', TOO_LARGE],
  },
  {
    kind: 'message',
    name: 'sync/a state vector of many clients',
    shape: 'long',
    type: 'sync',
    as: 'user',
    n: 20_000,
    frames: (n) => [syncFrame(0, stateVector(n))],
    outcomes: ['acknowledged'],
  },
  {
    kind: 'message',
    name: 'sync/a state vector that says of more clients than it has',
    shape: 'truncated',
    type: 'sync',
    as: 'user',
    n: 20_000,
    frames: (n) => [syncFrame(0, Uint8Array.of(255, 255, 255, 127, ...new Uint8Array(n)))],
    outcomes: [MALFORMED],
  },
  {
    kind: 'message',
    name: 'sync/requests for a large document',
    shape: 'repeated',
    type: 'sync',
    as: 'user',
    n: 50,
    sample: true,
    prepare: (target) =>
      fillRoom(target, encodeUpdate([{ client: 1, structs: [text('x'.repeat(500_000))] }])),
    frames: (n) => repeat(n, syncFrame(0, Uint8Array.of(0))),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'sync/many requests',
    shape: 'repeated',
    type: 'sync',
    as: 'user',
    n: 500,
    sample: true,
    frames: (n) => repeat(n, syncFrame(0, Uint8Array.of(0))),
    outcomes: ['acknowledged', 4529, 4508],
  },
  {
    kind: 'message',
    name: 'answer/many empty ones',
    shape: 'repeated',
    type: 'answer',
    as: 'user',
    n: 2_000,
    frames: (n) => repeat(n, syncFrame(1, Uint8Array.of(0, 0))),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'update/many empty ones',
    shape: 'repeated',
    type: 'update',
    as: 'user',
    n: 2_000,
    sample: true,
    frames: (n) => repeat(n, syncFrame(2, Uint8Array.of(0, 0))),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'awareness/many clients that are away',
    shape: 'repeated',
    type: 'awareness',
    as: 'user',
    n: 500,
    frames: (n) => [awarenessFrame(n)],
    outcomes: ['acknowledged', 4400],
  },
  {
    kind: 'message',
    name: 'query awareness/many requests',
    shape: 'repeated',
    type: 'queryAwareness',
    as: 'user',
    n: 2_000,
    frames: (n) => repeat(n, Uint8Array.of(QUERY_AWARENESS)),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'acknowledge/many requests',
    shape: 'repeated',
    type: 'acknowledge',
    as: 'user',
    n: 2_000,
    frames: (n) => repeat(n, acknowledgeFrame(1)),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'token/the same many times',
    shape: 'repeated',
    type: 'token',
    as: 'user',
    n: 200,
    frames: (n, uid) => repeat(n, tokenFrame(signToken(uid))),
    outcomes: ['acknowledged', 4529],
  },
  {
    kind: 'message',
    name: 'digest/many claims',
    shape: 'repeated',
    type: 'digest',
    as: 'user',
    n: 200,
    frames: (n) => repeat(n, digestFrame()),
    outcomes: ['acknowledged', 4529],
  },
]

function repeat(count: number, frame: Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, () => frame)
}

function tokenFrame(token: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, TOKEN)
  encoding.writeVarString(encoder, token)
  return encoding.toUint8Array(encoder)
}

function digestFrame(): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const number of [DIGEST, 1, 1, 0, 0, 0]) encoding.writeVarUint(encoder, number)
  encoding.writeVarUint8Array(encoder, new Uint8Array(32))
  encoding.writeVarUint8Array(encoder, new Uint8Array(32))
  return encoding.toUint8Array(encoder)
}

function awarenessFrame(clients: number): Uint8Array {
  const update = encoding.createEncoder()
  encoding.writeVarUint(update, clients)
  for (let client = 1; client <= clients; client++) {
    encoding.writeVarUint(update, client)
    encoding.writeVarUint(update, 1)
    encoding.writeVarString(update, 'null')
  }
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, AWARENESS)
  encoding.writeVarUint8Array(encoder, encoding.toUint8Array(update))
  return encoding.toUint8Array(encoder)
}
