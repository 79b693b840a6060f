import * as encoding from 'lib0/encoding'
import type { MessageInput } from './inputs.js'
import { acknowledgeFrame, syncFrame } from './runner/socket.js'
import { signToken } from './runner/tokens.js'

const AWARENESS = 1
const QUERY_AWARENESS = 3
const TOKEN = 113
const DIGEST = 114

/** WebSocket messages and Yjs updates; `inputs.ts` says how to add one. */
export const MESSAGE_INPUTS: readonly MessageInput[] = [
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
