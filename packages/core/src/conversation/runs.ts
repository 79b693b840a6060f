/** Sequence numbers from `from` to `to`, both included. */
export interface Run {
  readonly from: number
  readonly to: number
}

/** Joins runs that overlap or touch; the result is in ascending order. */
export function unionOfRuns(runs: readonly Run[]): readonly Run[] {
  if (runs.length < 2) return runs
  const union: Array<{ from: number; to: number }> = []
  for (const run of [...runs].sort((a, b) => a.from - b.from)) {
    const last = union.at(-1)
    if (last && run.from <= last.to + 1) last.to = Math.max(last.to, run.to)
    else union.push({ ...run })
  }
  return union
}

/** How many numbers of a union lie above `after` and not above `upTo`. */
export function countInRuns(union: readonly Run[], after: number, upTo: number): number {
  let count = 0
  for (const { from, to } of union) count += Math.max(0, Math.min(to, upTo) - Math.max(from, after + 1) + 1)
  return count
}

/** The runs of a union cut to what lies above `after`. */
export function runsAbove(union: readonly Run[], after: number): Run[] {
  return union.filter(({ to }) => to > after).map(({ from, to }) => ({ from: Math.max(from, after + 1), to }))
}
