import { SUBPROTOCOL } from '@parley/core'
import type { ClientEnvironment } from '../environment.js'

/** How long the socket may take to open. */
const TIMEOUT_MS = 10_000

/**
 * Opens a second socket that offers the subprotocol and closes it again, to find out whether that is what kept an earlier one from
 * opening: the server may just have been away. Calls `done` once, with true if the subprotocol gets through and false if it does
 * not; not at all if nothing is found out in time.
 *
 * @returns what cancels it
 */
export function probeSubprotocol(
  address: string,
  WebSocket: typeof globalThis.WebSocket,
  { schedule }: Pick<ClientEnvironment, 'schedule'>,
  done: (getsThrough: boolean) => void,
): () => void {
  let socket: WebSocket | null = new WebSocket(address, [SUBPROTOCOL])
  const end = (getsThrough: boolean | null): void => {
    const ended = socket
    if (!ended) return
    socket = null
    cancelTimeout()
    ended.onopen = null
    ended.onclose = null
    ended.close()
    if (getsThrough !== null) done(getsThrough)
  }
  const cancelTimeout = schedule(() => end(null), TIMEOUT_MS)
  const probed = socket
  probed.onopen = () => end(probed.protocol === SUBPROTOCOL)
  probed.onclose = () => end(false)
  // Node's `ws` throws an error that has no listener.
  probed.onerror = () => {}
  return () => end(null)
}
