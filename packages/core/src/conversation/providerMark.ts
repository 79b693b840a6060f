import type { Winner } from '../document/registerTable.js'
import type { Version } from '../lattice/version.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import type { ChannelKey } from './channel.js'

/** The instance that marks of providers carry. Real ones are eight characters long. */
const PROVIDER = 'provider~'
const REGISTER = `unreadMark.${PROVIDER}`

/** What a version of 64 bits is shortened by, so that JavaScript counts that far; in nanoseconds, two microseconds. */
const LOST_BITS = 11n

/**
 * Puts on the mark that a provider's raised count stands for: the same on every device that hears of it, so that all together
 * make one mark, and reading it once takes it off everywhere and for ever.
 */
export function putProviderMark(
  writer: Writer,
  key: ChannelKey,
  { atSeq, version }: { readonly atSeq: number; readonly version: Version },
): void {
  writer.put(key, REGISTER, [atSeq, raiseNumber(version), PROVIDER, 0], atSeq)
}

/** Puts on a mark that the app tells the provider of by itself. It goes as one that the provider raised goes. */
export function putToldMark(core: StoreCore, writer: Writer, key: ChannelKey): void {
  const { headSeq, provided } = core.facts(key)
  const [lastSeq = 0, lastCount = 0] = (core.log.index.get(key, REGISTER)?.stamp ?? []) as number[]
  const count = Math.max(raiseNumber(provided?.version ?? 0), lastSeq >= headSeq ? lastCount : 0)
  writer.put(key, REGISTER, [Math.max(headSeq, lastSeq), count + 1, PROVIDER, 0], headSeq)
}

/** Takes the provider's mark off, if it is among those that stand. */
export function dropProviderMark(writer: Writer, key: ChannelKey, marks: readonly Winner[]): void {
  for (const { register, stamp, value } of marks) {
    if (register === REGISTER) writer.putText(key, register, [...stamp.slice(0, -1), 1], value)
  }
}

function raiseNumber(version: Version): number {
  return typeof version === 'number' ? version : Number(BigInt(version) >> LOST_BITS)
}
