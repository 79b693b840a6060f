import { MessageChannel } from 'node:worker_threads'

/** What is sent here is received by nobody. */
const { port1: nowhere, port2: receiver } = new MessageChannel()
receiver.close()

/**
 * Gives the memory of bytes back now. The garbage collector would find it some time after, and where much comes and goes it
 * runs for that alone, and lets every request wait. Nobody may have a use for the `ArrayBuffer`; it is empty from here on.
 */
export function releaseMemory({ buffer }: Uint8Array): void {
  // `ArrayBuffer.prototype.transfer` would do it without the detour, from Node 22 on.
  if (buffer instanceof ArrayBuffer) nowhere.postMessage(null, [buffer])
}
