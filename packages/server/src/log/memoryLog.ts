import { ServerError } from '../errors.js'
import { drawWriter } from './drawWriter.js'
import type { LogStore, QuarantinedRow, RoomWriterState, ValueScope } from './logStore.js'

interface MemoryRoom {
  epoch: number
  version: number
  snapshot: { version: number; update: Uint8Array } | null
  rows: Map<number, Uint8Array>
  quarantined: Map<number, { reason: string; update: Uint8Array }>
  writer: RoomWriterState
}

/**
 * Creates a {@link LogStore} that forgets everything with its process: for tests and for trying things out.
 *
 * @example
 * ```ts
 * import { createMemoryLog } from '@parley/server'
 *
 * const store = createMemoryLog()
 * const version = await store.append('alice', new Uint8Array([0, 0])) // 1
 * ```
 */
export function createMemoryLog(): LogStore {
  const rooms = new Map<string, MemoryRoom>()
  const values = new Map<ValueScope, Map<string, Uint8Array>>()
  let closed = false

  const open = (): void => {
    if (closed) throw new ServerError('closed', 'The log store is closed')
  }

  const enter = (name: string): MemoryRoom => {
    const room = rooms.get(name) ?? {
      epoch: 0,
      version: 0,
      snapshot: null,
      rows: new Map(),
      quarantined: new Map(),
      writer: drawWriter(),
    }
    rooms.set(name, room)
    return room
  }
  const readValues = (scope: ValueScope, names: readonly string[]): Map<string, Uint8Array> => {
    const known = values.get(scope)
    return new Map(
      names.flatMap((name) => {
        const value = known?.get(name)
        return value ? [[name, value]] : []
      }),
    )
  }
  const writeValues = (scope: ValueScope, changes: ReadonlyMap<string, Uint8Array | null>): void => {
    const known = values.get(scope) ?? new Map<string, Uint8Array>()
    for (const [name, value] of changes) {
      if (value) known.set(name, new Uint8Array(value))
      else known.delete(name)
    }
    values.set(scope, known)
  }

  const load: LogStore['load'] = async (name, { after = 0 } = {}) => {
    open()
    const room = rooms.get(name)
    const snapshot = room?.snapshot ?? null
    const isBehind = snapshot !== null && snapshot.version > after
    const rows = [...(room?.rows ?? [])].map(([version, update]) => ({ version, update }))
    return {
      epoch: room?.epoch ?? 0,
      version: room?.version ?? 0,
      snapshot: isBehind ? snapshot : null,
      rows: isBehind ? rows : rows.filter(({ version }) => version > after),
      damaged: [],
    }
  }

  return {
    async append(name, update) {
      open()
      const room = enter(name)
      room.version++
      room.rows.set(room.version, update.slice())
      return room.version
    },
    async appendOwn(name, { reads = [], compose }) {
      open()
      const { client, clock } = rooms.get(name)?.writer ?? drawWriter()
      const composed = compose({ client, clock }, readValues(`room:${name}`, reads))
      if (!composed) return null
      const { update, clocks, values: changes } = composed
      const room = enter(name)
      room.writer = { client, clock: clock + clocks }
      room.version++
      room.rows.set(room.version, update.slice())
      if (changes) writeValues(`room:${name}`, changes)
      return { version: room.version, update }
    },
    load,
    async heads(names) {
      open()
      return new Map(names.map((name) => [name, rooms.get(name)?.version ?? 0]))
    },
    async readWithHead(name, valueName) {
      open()
      const value = values.get(`room:${name}`)?.get(valueName)
      return { head: rooms.get(name)?.version ?? 0, value: value ? new Uint8Array(value) : null }
    },
    async compact(name, { through, snapshot, keep = [] }) {
      open()
      const room = rooms.get(name)
      if (!room || (room.snapshot && room.snapshot.version >= through)) return
      for (const version of room.rows.keys()) {
        if (version <= through && !keep.includes(version)) room.rows.delete(version)
      }
      room.snapshot = { version: through, update: snapshot.slice() }
    },
    async quarantine(name, rows) {
      open()
      const room = rooms.get(name)
      for (const { version, reason } of rows) {
        const update = room?.rows.get(version)
        if (!room || !update) continue
        room.rows.delete(version)
        room.quarantined.set(version, { reason, update })
        room.writer = drawWriter()
      }
    },
    async retireWriter(name, clients) {
      open()
      const room = rooms.get(name)
      if (!room || !clients.includes(room.writer.client)) return false
      room.writer = drawWriter()
      return true
    },
    async size(name) {
      open()
      const room = rooms.get(name)
      if (!room) return null
      let rowBytes = 0
      for (const update of room.rows.values()) rowBytes += update.byteLength
      return {
        epoch: room.epoch,
        version: room.version,
        snapshotVersion: room.snapshot?.version ?? 0,
        snapshotBytes: room.snapshot?.update.byteLength ?? 0,
        rowCount: room.rows.size,
        rowBytes,
        quarantined: [...room.quarantined].map(
          ([version, { reason, update }]): QuarantinedRow => ({ version, reason, bytes: update.byteLength }),
        ),
      }
    },
    values: {
      async read(scope, names) {
        open()
        return copyOf(readValues(scope, names))
      },
      async list(scope, { prefix, limit, reverse = false }) {
        open()
        const found = [...(values.get(scope) ?? [])].filter(([name]) => name.startsWith(prefix))
        found.sort(([a], [b]) => (a < b ? -1 : 1))
        if (reverse) found.reverse()
        return copyOf(found.slice(0, limit))
      },
      async write(scope, changes) {
        open()
        writeValues(scope, changes)
      },
      async *scopes() {
        open()
        yield* [...values].flatMap(([scope, known]) => (known.size > 0 ? [scope] : []))
      },
    },
    async delete(name) {
      open()
      rooms.delete(name)
      values.delete(`room:${name}`)
    },
    async *rooms() {
      open()
      yield* [...rooms.keys()]
    },
    examine: async (name) => ({ ...(await load(name)), snapshotDamage: null, numbersDamage: null }),
    async restore(name, { epoch, version, snapshot, rows, values: changes }) {
      open()
      rooms.set(name, {
        ...enter(name),
        epoch,
        version,
        snapshot: snapshot && { version: snapshot.version, update: snapshot.update.slice() },
        rows: new Map(rows.map((row) => [row.version, row.update.slice()])),
        writer: drawWriter(),
      })
      writeValues(`room:${name}`, changes)
    },
    async erase() {
      open()
    },
    async check() {
      open()
    },
    async close() {
      closed = true
    },
  }
}

function copyOf(values: Iterable<readonly [string, Uint8Array]>): Map<string, Uint8Array> {
  return new Map(Array.from(values, ([name, value]) => [name, new Uint8Array(value)]))
}
