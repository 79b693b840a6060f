/** Seeded randomness, so that a failing history can be run again. */
export interface Random {
  /** Uniform in [0, 1). */
  (): number
  /** A uniform integer from 0 to `below - 1`. */
  int: (below: number) => number
  pick: <Element>(elements: readonly Element[]) => Element
  /** True with this probability. */
  chance: (probability: number) => boolean
}

/** Creates a {@link Random} from a seed, by the mulberry32 generator. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  return Object.assign(next, {
    int: (below: number) => Math.floor(next() * below),
    pick: <Element>(elements: readonly Element[]) =>
      elements[Math.floor(next() * elements.length)] as Element,
    chance: (probability: number) => next() < probability,
  })
}
