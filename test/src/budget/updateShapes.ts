import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** Writes one struct of a Yjs update. */
export type Struct = (encoder: encoding.Encoder) => void

type Id = readonly [client: number, clock: number]

const ORIGIN = 128
const RIGHT_ORIGIN = 64
const KEY = 32
const STRING = 4
const FORMAT = 6
const TYPE = 7
const VALUES = 8
const ARRAY_TYPE = 0
const NULL = 126

interface Place {
  readonly after?: Id
  readonly before?: Id
  readonly parent?: Id
  readonly key?: string
}

/** Encodes structs of clients, each from clock 0 unless a clock is given, and deleted ranges of clock and length. */
export function encodeUpdate(
  clients: ReadonlyArray<{ client: number; clock?: number; structs: readonly Struct[] }>,
  deletions: ReadonlyArray<{ client: number; ranges: ReadonlyArray<readonly [number, number]> }> = [],
): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients.length)
  for (const { client, clock = 0, structs } of clients) {
    for (const part of [structs.length, client, clock]) encoding.writeVarUint(encoder, part)
    for (const write of structs) write(encoder)
  }
  encoding.writeVarUint(encoder, deletions.length)
  for (const { client, ranges } of deletions) {
    for (const part of [client, ranges.length, ...ranges.flat()]) encoding.writeVarUint(encoder, part)
  }
  return encoding.toUint8Array(encoder)
}

/** A text in the root type `t`, between items, or in a type that an item holds. */
export function text(content: string, place: Place = {}): Struct {
  return (encoder) => {
    writeHead(encoder, STRING, place)
    encoding.writeVarString(encoder, content)
  }
}

/** An array type, in the root type `t` or in another array. */
export function arrayType(place: Place): Struct {
  return (encoder) => {
    writeHead(encoder, TYPE, place)
    encoding.writeVarUint(encoder, ARRAY_TYPE)
  }
}

/** A format of a text. */
export function format(name: string, place: Place): Struct {
  return (encoder) => {
    writeHead(encoder, FORMAT, place)
    encoding.writeVarString(encoder, name)
    encoding.writeVarString(encoder, 'true')
  }
}

/** So many values `null` in one item. */
export function nulls(count: number, place: Place = {}): Struct {
  return (encoder) => {
    writeHead(encoder, VALUES, place)
    encoding.writeVarUint(encoder, count)
    for (let left = count; left > 0; left--) encoding.writeUint8(encoder, NULL)
  }
}

/** One value: arrays in arrays. */
export function nestedValue(depth: number): Struct {
  return (encoder) => {
    writeHead(encoder, VALUES, {})
    encoding.writeVarUint(encoder, 1)
    for (let left = depth; left > 0; left--) encoding.writeUint8Array(encoder, Uint8Array.of(117, 1))
    encoding.writeUint8(encoder, NULL)
  }
}

/** What is left of insertions that are gone. */
export function garbage(length: number): Struct {
  return (encoder) => {
    encoding.writeUint8(encoder, 0)
    encoding.writeVarUint(encoder, length)
  }
}

/** `[make(0), …, make(count - 1)]` */
export function list<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Items of one client, each behind the one before. */
export function chain(count: number, client = 1): Uint8Array {
  return encodeUpdate([
    { client, structs: list(count, (i) => text('a', i === 0 ? {} : { after: [client, i - 1] })) },
  ])
}

/** Two clients that insert at the same position: each item of the second passes all of the first. */
export function siblings(count: number): Uint8Array {
  const second = [text('z', { after: [1, count - 1] }), ...list(count, () => text('b'))]
  return encodeUpdate([
    { client: 1, structs: list(count, () => text('a')) },
    { client: 2, structs: second },
  ])
}

/** Clients that wait for each other in ascending order and insert at the same position. */
export function ascendingClients(count: number): Uint8Array {
  return encodeUpdate(
    list(count, (index) => {
      const client = count - index
      return {
        client,
        structs: [text('a', client === 1 ? {} : { after: [client - 1, 1] }), text('b')],
      }
    }),
  )
}

/** Clients that are woken again and again by what another one brings, in turn. */
export function wakeUps(count: number): Uint8Array {
  const first = [text('x'), ...list(count, (i) => text('b', { after: [2, i] }))]
  return encodeUpdate([
    { client: 2, structs: list(count, (i) => text('c', { after: [1, i] })) },
    { client: 1, structs: first },
    ...list(count, (i) => ({ client: 10 + i, structs: [text('w', { after: [1, count] })] })),
  ])
}

/** A document that two devices typed into without each other, in Yjs' own words. */
export function typedApart(count: number): Uint8Array {
  const docs = [1, 2].map((clientID) => Object.assign(new Y.Doc(), { clientID }))
  for (const doc of docs) {
    for (let i = 0; i < count; i++) doc.getText('t').insert(i % 2 === 0 ? 0 : doc.getText('t').length, 'ab')
  }
  return Y.mergeUpdates(docs.map((doc) => Y.encodeStateAsUpdate(doc)))
}

/** An update in Yjs' second encoding. */
export function secondEncoding(count: number): Uint8Array {
  const doc = new Y.Doc()
  for (let i = 0; i < count; i++) doc.getText('t').insert(0, 'a')
  return Y.encodeStateAsUpdateV2(doc)
}

/** A state vector of so many clients. */
export function stateVector(clients: number): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients)
  for (let client = 1; client <= clients; client++) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, 1)
  }
  return encoding.toUint8Array(encoder)
}

function writeHead(encoder: encoding.Encoder, content: number, { after, before, parent, key }: Place): void {
  const flags = (after ? ORIGIN : 0) | (before ? RIGHT_ORIGIN : 0) | (key === undefined ? 0 : KEY)
  encoding.writeUint8(encoder, content | flags)
  for (const id of [after, before]) for (const part of id ?? []) encoding.writeVarUint(encoder, part)
  if (after || before) return
  if (parent) for (const part of [0, ...parent]) encoding.writeVarUint(encoder, part)
  else {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarString(encoder, 't')
  }
  if (key !== undefined) encoding.writeVarString(encoder, key)
}
