import { setFlagsFromString } from 'node:v8'

/**
 * Sets V8's garbage collector up for a process that serves and does little else, as `parley serve` does; call it before the
 * server is created. It concerns the whole process, and can be called any number of times.
 *
 * V8 remembers of places in the code that what was made there lived long, and makes the next of its kind in the old
 * generation at once. Requests live long when many come together or the disk is slow; from then on each of them has parts in
 * the old generation that keep the rest of it from being collected with the young one, though it was answered long ago. The
 * pauses are then several times as long, for good. Here V8 is told not to remember.
 *
 * @example
 * ```ts
 * import { createMemoryLog, createServer, tuneGarbageCollection } from '@parley/server'
 *
 * tuneGarbageCollection()
 * const server = await createServer({ store: createMemoryLog(), auth: 'open', port: 0 })
 * await server.listen()
 * await server.close()
 * ```
 */
export function tuneGarbageCollection(): void {
  // V8 looks at this flag only when it collects, so that it may change while the process runs.
  setFlagsFromString('--no-allocation-site-pretenuring')
}
