import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Bytes over all connections of a server, open and ended. */
export interface Traffic {
  readonly total: () => { readonly received: number; readonly sent: number }
}

/** Counts the bytes of a server's connections where the system counts them anyway, at no cost for each message. */
export function createTraffic(server: Server): Traffic {
  const open = new Set<Socket>()
  let received = 0
  let sent = 0
  // One for all connections, not one for each.
  function onClose(this: Socket): void {
    open.delete(this)
    received += this.bytesRead
    sent += this.bytesWritten
  }
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', onClose)
  })
  return {
    total() {
      const all = { received, sent }
      for (const socket of open) {
        all.received += socket.bytesRead
        all.sent += socket.bytesWritten
      }
      return all
    },
  }
}
