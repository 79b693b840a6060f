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

/** Makes a row; without a reference the goal is for the value itself. A row without a goal tells what the others depend on. */
export function row(name: string, unit: string, value: number, reference: number | null, goal: Goal): Row {
  const ratio = reference === null ? value : value / reference
  const met = ratio <= (goal.atMost ?? Number.POSITIVE_INFINITY) && ratio >= (goal.atLeast ?? 0)
  const text = goalText(goal)
  return { name, unit, value, reference, ratio, goal: text, met }
}

function goalText({ atMost, atLeast }: Goal): string {
  if (atMost !== undefined) return `at most ${atMost}`
  return atLeast === undefined ? 'no goal' : `at least ${atLeast}`
}

/** The middle value; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number
}

/** The smallest value that at least this part of all values is not above; 0 of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0
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
