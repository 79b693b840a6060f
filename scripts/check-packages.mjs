// Checks the packages as npm would get them: packed, with the workspace's own protocols resolved. publint and attw
// look at what a consumer can import, size-limit at what it costs, knip at what nobody uses or nobody declared.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPackages } from './lib/build.mjs'
import { publishedPackages } from './lib/packages.mjs'
import { run, runTool, steps } from './lib/run.mjs'

const failures = []

async function check(title, action) {
  console.log(`\n── ${title}`)
  if ((await action()) !== 0) failures.push(title)
}

await steps(buildPackages)
for (const { dir, manifest } of publishedPackages()) {
  const packed = mkdtempSync(join(tmpdir(), 'parley-pack-'))
  try {
    await steps(() => pnpm(['pack', '--pack-destination', packed], dir))
    const [name] = readdirSync(packed)
    const tarball = join(packed, name)
    await check(`publint ${manifest.name}`, () => runTool('publint', ['run', tarball, '--strict']))
    // ESM only: `require()` of a package is not offered, so that is no problem to report.
    await check(`attw ${manifest.name}`, () =>
      runTool('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-summary']),
    )
  } finally {
    rmSync(packed, { recursive: true, force: true })
  }
}
await check('size-limit', () => runTool('sizeLimit', []))
await check('knip', () => runTool('knip', ['--no-config-hints']))

if (failures.length > 0) {
  console.error(`\nFailed: ${failures.join(', ')}`)
  process.exitCode = 1
}

function pnpm(args, cwd) {
  // The pnpm that runs this script, or the one the README names.
  const own = process.env.npm_execpath
  const quiet = { cwd, stdio: ['ignore', 'ignore', 'inherit'] }
  if (own?.includes('pnpm')) {
    // Newer versions are a program and no script.
    return /\.[cm]?js$/.test(own) ? run(process.execPath, [own, ...args], quiet) : run(own, args, quiet)
  }
  return run('npx', ['--yes', 'pnpm@12.21.0', ...args], { ...quiet, shell: process.platform === 'win32' })
}
