import * as encoding from 'lib0/encoding'

/** Writes a struct of an update by hand. */
export type WriteStruct = (encoder: encoding.Encoder) => void

/** The structs of one client, from a clock on, 0 by default. */
export interface ClientStructs {
  readonly client: number
  readonly clock?: number
  readonly structs: readonly WriteStruct[]
}

/** The deleted ranges of one client, each a clock and a length. */
export interface ClientDeletions {
  readonly client: number
  readonly ranges: ReadonlyArray<readonly [clock: number, length: number]>
}

/** Encodes an update that no device would write. */
export function encodeUpdateByHand(
  clients: readonly ClientStructs[],
  deletions: readonly ClientDeletions[] = [],
): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, clients.length)
  for (const { client, clock = 0, structs } of clients) {
    encoding.writeVarUint(encoder, structs.length)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    for (const write of structs) write(encoder)
  }
  encoding.writeVarUint(encoder, deletions.length)
  for (const { client, ranges } of deletions) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
    }
  }
  return encoding.toUint8Array(encoder)
}

/** Where a hand-written text lies: between which items, or in which root type, under which key. */
export interface TextPlace {
  readonly after?: readonly [client: number, clock: number]
  readonly before?: readonly [client: number, clock: number]
  readonly root?: string
  readonly key?: string
}

/** An item that holds a text. */
export function textItem(text: string, { after, before, root = 't', key }: TextPlace = {}): WriteStruct {
  return (encoder) => {
    encoding.writeUint8(encoder, 4 | (after ? 128 : 0) | (before ? 64 : 0) | (key === undefined ? 0 : 32))
    for (const id of [after, before]) for (const part of id ?? []) encoding.writeVarUint(encoder, part)
    if (!after && !before) {
      encoding.writeVarUint(encoder, 1)
      encoding.writeVarString(encoder, root)
      if (key !== undefined) encoding.writeVarString(encoder, key)
    }
    encoding.writeVarString(encoder, text)
  }
}

/** A struct that stands for insertions whose content is gone. */
export function garbage(length: number): WriteStruct {
  return (encoder) => {
    encoding.writeUint8(encoder, 0)
    encoding.writeVarUint(encoder, length)
  }
}

/** `[make(0), …, make(count - 1)]` */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
