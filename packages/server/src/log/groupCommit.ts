/** One call that waits to be written. */
interface Waiting<Job, Result> {
  readonly job: Job
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** What a job comes to: its result, or why it has none, which is not for the others of its batch to suffer from. */
export type Outcome<Result> = Result | Failure
export interface Failure {
  readonly error: unknown
}

/** Lets many callers share one write: while a batch is being written, the next one collects. */
export interface GroupCommit<Job, Result> {
  /** Settles when the batch the job is part of was written, or failed; rejects for a failure of the job's own as well. */
  add: (job: Job) => Promise<Result>
  /** Settles when all that was added so far is done. */
  idle: () => Promise<void>
}

export interface GroupCommitOptions<Job, Result> {
  /** Writes jobs together and returns what they come to in the same order. Never called again before it has settled. */
  write: (jobs: readonly Job[]) => Promise<ReadonlyArray<Outcome<Result>>>
  /** True if two jobs may be written together. Jobs keep their order. */
  joins: (first: Job, next: Job) => boolean
  sizeOf: (job: Job) => number
  /** A batch ends before it is larger than this, unless it is a single job. */
  maxBatchSize: number
}

/** Creates a {@link GroupCommit}. */
export function createGroupCommit<Job, Result>(
  options: GroupCommitOptions<Job, Result>,
): GroupCommit<Job, Result> {
  let waiting: Array<Waiting<Job, Result>> = []
  let running: Promise<void> | null = null

  const takeBatch = (): Array<Waiting<Job, Result>> => {
    const first = waiting[0]
    if (!first) return []
    let size = 0
    let count = 0
    for (const { job } of waiting) {
      size += options.sizeOf(job)
      if (count > 0 && (size > options.maxBatchSize || !options.joins(first.job, job))) break
      count++
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  const run = async (): Promise<void> => {
    // Whoever else adds in this turn of the event loop joins the first batch.
    await null
    for (let batch = takeBatch(); batch.length > 0; batch = takeBatch()) {
      try {
        const outcomes = await options.write(batch.map(({ job }) => job))
        batch.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index] as Outcome<Result>
          if (isFailure(outcome)) reject(outcome.error)
          else resolve(outcome)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    // In the same turn as the look at the empty queue, or what is added in between would wait for ever.
    running = null
  }

  return {
    add(job) {
      const result = new Promise<Result>((resolve, reject) => {
        waiting.push({ job, resolve, reject })
      })
      running ??= run()
      return result
    },
    async idle() {
      while (running) await running
    },
  }
}

function isFailure<Result>(outcome: Outcome<Result>): outcome is Failure {
  return typeof outcome === 'object' && outcome !== null && 'error' in outcome
}
