import { randomInt } from 'node:crypto'
import type { RoomWriterState } from './logStore.js'

/** Client ids are 32 bits, as those that Yjs draws for documents. */
const CLIENT_IDS = 2 ** 32

/** As whom the server begins to write in a room: a client id that nobody has used there. */
export function drawWriter(): RoomWriterState {
  return { client: randomInt(CLIENT_IDS), clock: 0 }
}
