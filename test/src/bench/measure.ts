/** One row of the benchmark: what was measured, against what, in the same run. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly value: number
  /** What the value is compared with, in the same unit; `null` for an absolute goal. */
  readonly reference: number | null
  /** `value / reference`, or the value itself where there is no reference. */
  readonly ratio: number
  readonly goal: string
  readonly met: boolean
}

/** A named group of measurements. */
export interface Benchmark {
  readonly name: string
  readonly run: () => Row[] | Promise<Row[]>
}

/** What a ratio must be for the goal to be met. */
export interface Goal {
  readonly atMost?: number
  readonly atLeast?: number
}

/** Makes a row; without a reference the goal is for the value itself. */
export function row(name: string, unit: string, value: number, reference: number | null, goal: Goal): Row {
  const ratio = reference === null ? value : value / reference
  const met = ratio <= (goal.atMost ?? Number.POSITIVE_INFINITY) && ratio >= (goal.atLeast ?? 0)
  const text = goal.atMost === undefined ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`
  return { name, unit, value, reference, ratio, goal: text, met }
}

/** The middle value; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number
}

/** Times two actions in turns, so that what else the machine does hits both; medians in milliseconds. */
export function compare(runs: number, measured: () => void, reference: () => void): [number, number] {
  const times: [number[], number[]] = [[], []]
  measured()
  reference()
  for (let run = 0; run < runs; run++) {
    for (const [place, action] of [measured, reference].entries()) {
      const start = performance.now()
      action()
      times[place]?.push(performance.now() - start)
    }
  }
  return [median(times[0]), median(times[1])]
}
