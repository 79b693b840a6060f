import type { ServerError } from '../errors.js'
import { damaged } from './damaged.js'
import type { RoomWriterState } from './logStore.js'
import { decodeValue, encodeValue } from './rowCodec.js'

/** A room's numbers as they lie in the store. Members this server does not know stay as they are. */
export interface RoomMeta {
  epoch: number
  version: number
  snapshotVersion: number
  /** As whom the server itself writes; drawn when it first does. */
  writer?: LeasedWriter
}

/** A writer that only the opening of the store that drew it may continue. */
export interface LeasedWriter extends RoomWriterState {
  /** Random text of the opening; see `openLevelLog`. */
  readonly opening: string
}

/** Those of a room of which nothing is stored. */
export const NEW_ROOM: Readonly<RoomMeta> = Object.freeze({ epoch: 0, version: 0, snapshotVersion: 0 })

/** Reads a room's numbers, those of a new room if there are none; an error is returned, for it concerns one room of many. */
export function decodeMeta(key: string, value: Uint8Array | undefined): RoomMeta | ServerError {
  if (!value) return NEW_ROOM
  const payload = decodeValue(key, value)
  if (!(payload instanceof Uint8Array)) {
    return damaged(key, payload.damage)
  }
  // The checksum says that it is what a server wrote.
  return JSON.parse(Buffer.from(payload).toString()) as RoomMeta
}

/** The stored form of a room's numbers. */
export function encodeMeta(key: string, meta: RoomMeta): Uint8Array {
  return encodeValue(key, JSON.stringify(meta))
}
