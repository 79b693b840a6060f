import { MessageChannel } from 'node:worker_threads'

/** A header may lie around what was read; where there is more, the memory is somebody else's too, such as Node's pool. */
const MAX_AROUND_BYTES = 64

/** What is sent here is received by nobody. */
const { port1: nowhere, port2: receiver } = new MessageChannel()
receiver.close()

/**
 * Gives the memory of bytes back now. The garbage collector would find it some time after, and where much comes and goes it
 * runs for that alone, and lets every request wait. Nobody may have a use for the `ArrayBuffer`; it is empty from here on.
 */
export function releaseMemory({ buffer, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength - byteLength > MAX_AROUND_BYTES) return
  // `ArrayBuffer.prototype.transfer` would do it without the detour, from Node 22 on.
  nowhere.postMessage(null, [buffer])
}
