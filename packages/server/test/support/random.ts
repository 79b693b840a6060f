/** Numbers that look random and are the same each time, for inputs that can be had again. */
export interface Random {
  /** A whole number from 0 up to and without `end`. */
  below: (end: number) => number
  /** True once in `times`. */
  once: (times: number) => boolean
  pick: <Item>(items: readonly Item[]) => Item
  bytes: (length: number) => Uint8Array<ArrayBuffer>
}

/** Creates {@link Random} from a seed: Mulberry32, 32 bits of state, good enough for choosing. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (end: number): number => next() % end
  return {
    below,
    once: (times) => below(times) === 0,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  }
}
