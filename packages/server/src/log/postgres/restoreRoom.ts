import type { PoolClient } from 'pg'
import type { Restoration } from '../logStore.js'
import { decodeValue, encodeValue } from '../rowCodec.js'
import type { Parameter, PostgresDatabase, Statement } from './database.js'
import { encodeValues, toBuffer } from './group.js'
import { encodeName, rowKey, snapshotKey } from './names.js'
import * as statements from './statements.js'

/** A row of the answer to `TAKE_ROWS`. */
interface TakenRow {
  readonly snapshot: boolean
  readonly version: number
  readonly bytes: Uint8Array
}

/** Puts a room in the place of what is stored; what of that cannot be read goes into quarantine. */
export function restoreRoom(
  database: PostgresDatabase,
  room: string,
  { epoch, version, snapshot, rows, values }: Restoration,
): Promise<void> {
  return database.transaction(async (client) => {
    const numbers = [encodeName(room), epoch, version, snapshot?.version ?? 0]
    // Locks the room, so that what is taken is all there is.
    const [head] = await run<{ id: number }>(client, statements.REPLACE_NUMBERS, numbers)
    const id = head?.id ?? null
    for (const taken of await run<TakenRow>(client, statements.TAKE_ROWS, [id])) {
      const key = taken.snapshot ? snapshotKey(room, taken.version) : rowKey(room)
      const read = decodeValue(key, taken.bytes)
      if (read instanceof Uint8Array) continue
      await run(client, statements.PUT_ASIDE, [id, taken.version, toBuffer(taken.bytes), read.damage])
    }
    for (const row of rows) {
      await run(client, statements.PUT_ROW, [
        id,
        row.version,
        toBuffer(encodeValue(rowKey(room), row.update)),
      ])
    }
    if (snapshot) {
      const value = encodeValue(snapshotKey(room, snapshot.version), snapshot.update)
      await run(client, statements.PUT_SNAPSHOT, [id, snapshot.version, toBuffer(value)])
    }
    for (const { scope, name, value } of encodeValues(`room:${room}`, values)) {
      if (value) await run(client, statements.PUT_VALUE, [scope, name, value])
      else await run(client, statements.REMOVE_VALUE, [scope, name])
    }
  })
}

async function run<Row>(
  client: PoolClient,
  statement: Statement,
  parameters: readonly Parameter[],
): Promise<Row[]> {
  return (await client.query({ ...statement, values: [...parameters] })).rows as Row[]
}
