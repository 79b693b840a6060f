import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** What is inserted: for each client its structs in the order of their clocks, the first of them from `offset` on. */
export type StructRuns = ReadonlyMap<
  number,
  { readonly structs: ReadonlyArray<Y.Item | Y.GC | Y.Skip>; readonly offset: number }
>

/** What is deleted: for each client ranges of its clocks, in order. */
export type DeletedRanges = ReadonlyMap<
  number,
  ReadonlyArray<{ readonly clock: number; readonly len: number }>
>

/** Goes from call to call, with its memory: to get some anew costs as much as to write a small update. */
let encoder = new Y.UpdateEncoderV1()
const MAX_KEPT_BYTES = 64 * 1024

/** Writes an update in Yjs' first encoding: clients with their structs, then clients with their deleted ranges. */
export function encodeUpdate(runs: StructRuns, deletions: DeletedRanges): Uint8Array {
  const { restEncoder } = encoder
  restEncoder.cpos = 0
  restEncoder.bufs = []
  encoding.writeVarUint(restEncoder, runs.size)
  for (const [client, { structs, offset }] of runs) {
    encoding.writeVarUint(restEncoder, structs.length)
    encoder.writeClient(client)
    encoding.writeVarUint(restEncoder, (structs[0]?.id.clock ?? 0) + offset)
    for (const [index, struct] of structs.entries()) struct.write(encoder, index === 0 ? offset : 0)
  }
  encoding.writeVarUint(restEncoder, deletions.size)
  for (const [client, ranges] of deletions) {
    encoder.resetDsCurVal()
    encoding.writeVarUint(restEncoder, client)
    encoding.writeVarUint(restEncoder, ranges.length)
    for (const { clock, len } of ranges) {
      encoder.writeDsClock(clock)
      encoder.writeDsLen(len)
    }
  }
  const update = encoder.toUint8Array()
  if (restEncoder.cbuf.byteLength > MAX_KEPT_BYTES) encoder = new Y.UpdateEncoderV1()
  return update
}
