import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a benchmark uses for as long as it runs. */
export interface Resources {
  /** A folder of its own. */
  readonly folder: string
  /** Takes something in that is to be stopped at the end. */
  readonly keep: <One extends { stop: () => Promise<void> }>(one: One) => One
}

/** Runs something with a folder of its own; what it started is stopped, and the folder removed, however it ends. */
export async function withResources<Result>(use: (resources: Resources) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  const kept: Array<{ stop: () => Promise<void> }> = []
  try {
    return await use({
      folder,
      keep(one) {
        kept.push(one)
        return one
      },
    })
  } finally {
    for (const one of kept.reverse()) await one.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
