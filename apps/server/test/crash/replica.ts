import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import * as syncProtocol from 'y-protocols/sync'
import * as Y from 'yjs'

/** How a replica asks whether what it sent is durable: as Parley's clients do, or as a stock one does by a sync. */
export type Asks = 'acknowledgement' | 'barrier'

/** A device that writes as fast as the server says that it is stored, and keeps its document across connections. */
export interface Replica {
  readonly doc: Y.Doc
  /** Everything it ever wrote, in order. */
  readonly written: readonly string[]
  /** How many of them the server said are durable. */
  readonly safe: number
  /** Connects, and settles when both know what the other had. With `writes` it then goes on to write. */
  connect: (url: string, writes: boolean) => Promise<void>
  disconnect: () => void
}

const MESSAGE_SYNC = 0
const MESSAGE_ACKNOWLEDGE = 112
const BURST = 5

/** Creates a {@link Replica} whose values begin with `name`. */
export function createReplica(name: string, asks: Asks): Replica {
  const doc = new Y.Doc()
  const written: string[] = []
  let safe = 0
  let socket: WebSocket | null = null
  /** How much of what was written an answer that is awaited stands for. */
  let asked: number | null = null

  const send = (write: (encoder: encoding.Encoder) => void): void => {
    const encoder = encoding.createEncoder()
    write(encoder)
    if (socket?.readyState === WebSocket.OPEN) socket.send(encoding.toUint8Array(encoder))
  }
  const ask = (): void => {
    asked = written.length
    send((encoder) => {
      if (asks === 'acknowledgement') {
        encoding.writeVarUint(encoder, MESSAGE_ACKNOWLEDGE)
        encoding.writeVarUint(encoder, 1)
      } else {
        encoding.writeVarUint(encoder, MESSAGE_SYNC)
        syncProtocol.writeSyncStep1(encoder, doc)
      }
    })
  }
  const writeBurst = (): void => {
    for (let n = 0; n < BURST; n++) {
      const value = `${name}.${written.length}`
      written.push(value)
      doc.getArray('values').push([value])
    }
    ask()
  }

  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin === replica) return
    send((encoder) => {
      encoding.writeVarUint(encoder, MESSAGE_SYNC)
      syncProtocol.writeUpdate(encoder, update)
    })
  })

  const replica: Replica = {
    doc,
    written,
    get safe() {
      return safe
    },
    connect(url, writes) {
      const connected = new WebSocket(url, asks === 'acknowledgement' ? ['parley.1'] : [])
      socket = connected
      asked = null
      return new Promise((resolve, reject) => {
        let [has, was] = [false, false]
        const settle = (): void => {
          if (!has || !was) return
          if (writes && written.length % BURST === 0 && asked === null) writeBurst()
          resolve()
        }
        connected.on('open', () => {
          send((encoder) => {
            encoding.writeVarUint(encoder, MESSAGE_SYNC)
            syncProtocol.writeSyncStep1(encoder, doc)
          })
        })
        connected.on('message', (data: Buffer) => {
          const decoder = decoding.createDecoder(new Uint8Array(data))
          const type = decoding.readVarUint(decoder)
          const isAnswer = type === MESSAGE_SYNC && data[1] === syncProtocol.messageYjsSyncStep2
          if (type === MESSAGE_SYNC) {
            const isQuestion = data[1] === syncProtocol.messageYjsSyncStep1
            const encoder = encoding.createEncoder()
            encoding.writeVarUint(encoder, MESSAGE_SYNC)
            syncProtocol.readSyncMessage(decoder, encoder, doc, replica)
            if (encoding.length(encoder) > 1) connected.send(encoding.toUint8Array(encoder))
            if (isQuestion) was = true
            if (isAnswer) has = true
          }
          if (type === MESSAGE_ACKNOWLEDGE || isAnswer) {
            if (asked !== null && (asks === 'acknowledgement') === (type === MESSAGE_ACKNOWLEDGE)) {
              safe = asked
              asked = null
              if (writes) writeBurst()
            } else settle()
          } else settle()
        })
        connected.on('error', reject)
        connected.on('close', () => reject(new Error(`${name}: the connection was closed`)))
      })
    },
    disconnect() {
      socket?.removeAllListeners('close')
      socket?.on('error', () => {})
      socket?.terminate()
      socket = null
    },
  }
  return replica
}
