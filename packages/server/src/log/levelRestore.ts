import type { Level, LevelChange } from './levelDatabase.js'
import { type KeyRange, RoomKeys, versionOf } from './levelKeys.js'
import { valueChanges } from './levelValues.js'
import type { Restoration } from './logStore.js'
import { encodeQuarantined } from './quarantineRecord.js'
import { decodeMeta, encodeMeta } from './roomMeta.js'
import { decodeValue, encodeValue } from './rowCodec.js'

/** What is to be written so that a room is as a restoration says; what is there and cannot be read goes into quarantine. */
export async function restorationChanges(
  level: Level,
  room: string,
  { epoch, version, snapshot, rows, values }: Restoration,
): Promise<LevelChange[]> {
  const keys = new RoomKeys(room)
  const changes: LevelChange[] = []
  const putAside = (key: string, value: Uint8Array, reason: string): void => {
    changes.push({ type: 'put', key, value: encodeQuarantined(key, value, reason) })
  }
  const remove = async (range: KeyRange, asideAs: (version: number) => string): Promise<void> => {
    for await (const [key, value] of level.iterator(range)) {
      changes.push({ type: 'del', key })
      const read = decodeValue(key, value)
      if (!(read instanceof Uint8Array)) putAside(asideAs(versionOf(key)), value, read.damage)
    }
  }
  const meta = await level.get(keys.meta)
  const numbers = decodeMeta(keys.meta, meta)
  if (meta && 'code' in numbers) putAside(keys.quarantined(0, 'numbers'), meta, numbers.message)
  await remove(keys.allRows, (at) => keys.quarantined(at))
  await remove(keys.allSnapshots, (at) => keys.quarantined(at, 'snapshot'))

  const put = (key: string, payload: Uint8Array): void => {
    changes.push({ type: 'put', key, value: encodeValue(key, payload) })
  }
  for (const row of rows) put(keys.row(row.version), row.update)
  if (snapshot) put(keys.snapshot(snapshot.version), snapshot.update)
  const snapshotVersion = snapshot?.version ?? 0
  changes.push({
    type: 'put',
    key: keys.meta,
    value: encodeMeta(keys.meta, { epoch, version, snapshotVersion }),
  })
  return [...changes, ...valueChanges(`room:${room}`, values)]
}
