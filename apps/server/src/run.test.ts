import { describe, expect, it } from 'vitest'
import { run } from './run.js'

/** Runs a command within the test's own process. */
async function call(args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await run(
    args,
    {},
    {
      out: (text) => {
        out += text
      },
      err: (text) => {
        err += text
      },
    },
  )
  return { code, out, err }
}

describe('the command line', () => {
  it('[C1] tells what there is, and what about a call it does not understand', {
    timeout: 20_000,
  }, async () => {
    for (const args of [['--help'], ['-h'], ['help'], ['serve', '--help'], ['import', '--help']]) {
      const { code, out } = await call(args)
      expect([args, code]).toEqual([args, 0])
      for (const word of ['serve', 'import', 'export', 'inspect', '--port', 'PARLEY_DATA'])
        expect(out).toContain(word)
    }
    const wrong: Array<[args: string[], names: RegExp]> = [
      [[], /Which command/],
      [['frobnicate'], /frobnicate/],
      [['constructor'], /constructor/],
      [['serve', '--prot', '80'], /--prot/],
      [['serve', '--port', 'http'], /--port must be a number from 0 to 65535, not http/],
      [['serve', '--port', '65536'], /--port/],
      [['serve', '--store', 'sqlite'], /--store must be level, memory or postgres, not sqlite/],
      [['serve', '--store', 'postgres'], /PARLEY_DATABASE_URL is missing/],
      [['export', '--user', 'alice', '--store', 'memory'], /--store memory keeps nothing/],
      [['serve', '--auth', 'basic'], /--auth must be open or jwt, not basic/],
      [['serve', '--auth', 'jwt'], /with a secret or with the keys at a URL/],
      [['serve', 'now'], /now/],
      [['export', '--user'], /--user/],
      [['export'], /--user UID is missing/],
      [['export', '--user', 'alice', 'file'], /file is not understood/],
      [['import', 'a', 'b', '--user', 'alice'], /b is not understood/],
      [['inspect', '--user', 'alice', '--verbose'], /--verbose/],
      [['backup'], /DIR is missing/],
      [['restore', 'a', 'b'], /b is not understood/],
      [['verify', '--fix'], /--fix/],
      [['serve', '--keep', 'all'], /--keep must be payload or digest or nothing, not all/],
      [['forget'], /--user UID is missing/],
    ]
    for (const [args, names] of wrong) {
      const { code, out, err } = await call(args)
      expect([args, code, out]).toEqual([args, 1, ''])
      expect(err).toMatch(names)
      expect(err).not.toMatch(/at .*\.js:\d+/)
    }
  })
})
