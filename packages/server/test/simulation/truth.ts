import { createIntake, decodeUpdate, type Intake } from '@parley/core'
import * as Y from 'yjs'
import type { LogStore } from '../../src/index.js'

/** What is durable at each moment, followed row by row as it gets into the store. */
export interface Truth {
  /** The store, watched. */
  readonly store: LogStore
  head: (room: string) => number
  doc: (room: string) => Y.Doc
  /** @throws if not all that a document holds is durable */
  demandHolds: (room: string, what: Y.Snapshot) => void
}

interface Known {
  readonly doc: Y.Doc
  readonly intake: Intake
  head: number
  /** The clocks that the server's own client has used, by client. */
  readonly own: Map<number, number>
}

/** Watches a store and demands of each row that it can be applied, and of the server's own clocks that each is given once. */
export function createTruth(inner: LogStore): Truth {
  const rooms = new Map<string, Known>()
  const knownOf = (room: string): Known => {
    const doc = new Y.Doc()
    const known = rooms.get(room) ?? { doc, intake: createIntake(doc), head: 0, own: new Map() }
    rooms.set(room, known)
    return known
  }
  const note = (room: string, version: number, update: Uint8Array): void => {
    const known = knownOf(room)
    if (version !== known.head + 1) throw new Error(`${room}: version ${version} follows ${known.head}`)
    known.head = version
    if (known.intake.receive(update) === 'held') throw new Error(`${room}: row ${version} has a gap`)
  }

  return {
    store: {
      ...inner,
      async append(room, update) {
        const version = await inner.append(room, update)
        note(room, version, update)
        return version
      },
      async appendOwn(room, own) {
        const row = await inner.appendOwn(room, own)
        if (!row) return null
        for (const { id, length } of decodeUpdate(row.update).structs) {
          const next = knownOf(room).own.get(id.client) ?? 0
          if (id.clock !== next) throw new Error(`${room}: clock ${id.clock} of the server follows ${next}`)
          knownOf(room).own.set(id.client, next + length)
        }
        note(room, row.version, row.update)
        return row
      },
    },
    head: (room) => knownOf(room).head,
    doc: (room) => knownOf(room).doc,
    demandHolds(room, { sv, ds }) {
      const { doc } = knownOf(room)
      for (const [client, clock] of sv) {
        const stored = Y.getState(doc.store, client)
        if (stored < clock)
          throw new Error(`${room}: client ${client} is durable up to ${stored}, not ${clock}`)
      }
      for (const [client, ranges] of ds.clients) {
        for (const { clock, len } of ranges) {
          for (let at = clock; at < clock + len; at++) {
            if (!Y.getItem(doc.store, Y.createID(client, at)).deleted)
              throw new Error(`${room}: the deletion of ${client}:${at} is not durable`)
          }
        }
      }
    },
  }
}
