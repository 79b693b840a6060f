const MS_PER_S = 1000

/** A waiting time as `Retry-After` has it: in whole seconds, and not too few. */
export function toSeconds(waitMs: number): string {
  return String(Math.ceil(waitMs / MS_PER_S))
}
