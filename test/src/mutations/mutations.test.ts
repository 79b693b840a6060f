import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { MUTATIONS } from './mutations.js'

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly assertionResults: ReadonlyArray<{ readonly title: string; readonly status: string }>
  }>
}

/** Runs the core's tests with a rule taken out, or none, and returns the titles of those that failed. */
async function failingTests(
  mutation: number | null,
  only?: string,
): Promise<{ ran: number; failed: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-mutation-'))
  const report = join(folder, 'report.json')
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const config = fileURLToPath(new URL('./vitest.config.ts', import.meta.url))
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(
        process.execPath,
        [
          ...[vitest, 'run', '--config', config, '--reporter=json', `--outputFile=${report}`],
          ...(only === undefined ? [] : ['-t', only.replace(/[[\]().*+?^$|{}\\]/g, '\\$&')]),
        ],
        {
          env: { ...process.env, PARLEY_MUTATION: String(mutation ?? 'none') },
          stdio: 'ignore',
        },
      )
      child.on('error', reject)
      child.on('exit', () => resolve())
    })
    const tests = (JSON.parse(readFileSync(report, 'utf8')) as Report).testResults.flatMap(
      (file) => file.assertionResults,
    )
    return {
      ran: tests.length,
      failed: tests.filter(({ status }) => status === 'failed').map(({ title }) => title),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('taking a rule out of the core', () => {
  it('with all rules in, no test fails', async () => {
    const { ran, failed } = await failingTests(null)
    expect(ran).toBeGreaterThan(100)
    expect(failed).toEqual([])
  })

  for (const [place, { rule, failing, isAlone }] of MUTATIONS.entries()) {
    it(`without ${rule}, «${failing}» fails`, async () => {
      const { ran, failed } = await failingTests(place, isAlone ? failing : undefined)
      expect(ran).toBeGreaterThan(100)
      expect(failed).toContain(failing)
    })
  }
})
