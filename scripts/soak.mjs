// The long runs of tests that `pnpm test` runs a sample of: `pnpm test:soak` runs them all, `pnpm test:soak kills frames`
// those that are named. Each is a test file with a greater count; a variable that is set already stays as it is.
import { ensureChromium } from './ensure-chromium.mjs'
import { buildPackages } from './lib/build.mjs'
import { runTool, steps } from './lib/run.mjs'

const RUNS = {
  histories: {
    what: '10,000 random histories of each of four kinds, of three to five devices',
    files: ['packages/core/test/histories.test.ts'],
    env: { PARLEY_HISTORIES: '10000' },
  },
  simulations: {
    what: '5,000 random histories of servers that share a store that fails',
    files: ['packages/server/test/simulation'],
    env: { PARLEY_SIMULATIONS: '5000' },
  },
  roundTrips: {
    what: '2,000 random histories of a device that syncs by Yjs and one that knows only HTTP',
    files: ['packages/server/test/roundTrip.test.ts'],
    env: { ROUND_TRIPS: '2000' },
  },
  kills: {
    what: '500 SIGKILLs of a server under load on LevelDB, and 500 on PostgreSQL',
    files: ['apps/server/test/crash'],
    env: { PARLEY_KILLS: '500' },
  },
  frames: {
    what: '1,050,000 hostile WebSocket messages of three kinds',
    files: ['packages/server/test/fuzz.test.ts'],
    env: { PARLEY_FRAMES: '350000' },
  },
  tabs: {
    what: '5,000 random actions in three tabs in Chromium, with tabs killed and the network cut',
    files: ['packages/client/test/chromium/tabSoak.test.ts'],
    env: { PARLEY_TAB_ACTIONS: '5000' },
  },
}

const names = process.argv.slice(2).filter((name) => name !== '--')
const unknown = names.filter((name) => !(name in RUNS))
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. There are:`)
  for (const [name, { what }] of Object.entries(RUNS)) console.error(`  ${name.padEnd(12)} ${what}`)
  process.exit(2)
}

await steps(buildPackages)
await ensureChromium()
const failed = []
for (const [name, { what, files, env }] of Object.entries(RUNS)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`\n── ${name}: ${what}`)
  const code = await runTool('vitest', ['run', ...files], { env: { ...env, ...process.env } })
  if (code !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`)
  process.exitCode = 1
}
