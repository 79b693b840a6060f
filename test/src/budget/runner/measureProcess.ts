/** Loaded into the server under test: answers each IPC message with what the process has used so far. */
const collect = (globalThis as { gc?: () => void }).gc
if (!collect) throw new Error('load this module with --expose-gc')

/** What the process has used. */
export interface Usage {
  /** CPU time of all threads when the question came, in milliseconds. */
  readonly cpuMs: number
  /** The same after the garbage collection that the question causes. */
  readonly settledCpuMs: number
  /** Memory in use after a garbage collection: heap, buffers outside it. In bytes. */
  readonly memory: number
  /** The greatest resident memory since the process started, in bytes. */
  readonly peak: number
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

process.on('message', () => {
  const asked = cpuMs()
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  const usage: Usage = {
    cpuMs: asked,
    settledCpuMs: cpuMs(),
    memory: heapUsed + external,
    peak: process.resourceUsage().maxRSS * 1024,
  }
  process.send?.(usage)
})
// The server ends when it is done, not when its parent is.
process.channel?.unref()
