/** The clocks of a state vector: how much of each client id a document holds. */
export type Clocks = ReadonlyMap<number, number>

/** How far a row of the log moved the state vector of the document, kept as the difference. */
export interface VectorStep {
  readonly version: number
  /** The clients whose clocks it moved, with the clocks after it. */
  readonly clocks: readonly (readonly [client: number, clock: number])[]
  /** True if it deleted something. A vector does not tell whether somebody has a deletion. */
  readonly deletes: boolean
}

/** Maps versions to state vectors of the same moments, and back. */
export interface VectorIndex {
  /** Takes in a row of the log. */
  note: (step: VectorStep) => void
  /** The state vector of the document at a version; `null` for one from before the index begins. */
  vectorAt: (version: number) => Clocks | null
  /**
   * The newest version that a document with this state vector surely holds, 0 if none. Surely: a row that only deletes
   * leaves no trace in a vector, so nothing from such a row on is sure. Never answer with the log since that version; one
   * who has a later insertion without the deletion would keep what was deleted.
   */
  versionOf: (vector: Clocks) => number
  /** The differences, to be stored. */
  readonly steps: readonly VectorStep[]
}

/** Creates a {@link VectorIndex} from the differences kept of one. */
export function createVectorIndex(kept: readonly VectorStep[] = []): VectorIndex {
  const steps: VectorStep[] = [...kept]
  return {
    steps,
    note(step) {
      if (step.version > (steps.at(-1)?.version ?? 0)) steps.push(step)
    },
    vectorAt(version) {
      if (version > 0 && version < (steps[0]?.version ?? 1)) return null
      const clocks = new Map<number, number>()
      for (const step of steps) {
        if (step.version > version) break
        for (const [client, clock] of step.clocks) clocks.set(client, clock)
      }
      return clocks
    },
    versionOf(vector) {
      let sure = 0
      for (const { version, clocks, deletes } of steps) {
        if (deletes && clocks.length === 0) break
        if (clocks.some(([client, clock]) => (vector.get(client) ?? 0) < clock)) break
        sure = version
      }
      return sure
    },
  }
}
