// Runs every test, those in a real browser included. Arguments go to vitest: `pnpm test packages/core`.

import { ensureChromium } from './ensure-chromium.mjs'
import { buildPackages, buildWeb } from './lib/build.mjs'
import { runTool, steps } from './lib/run.mjs'

await steps(
  buildPackages,
  buildWeb,
  async () => {
    try {
      console.log(`Chromium: ${await ensureChromium()}`)
      return 0
    } catch (error) {
      console.error(error.message)
      return 1
    }
  },
  // pnpm hands over the `--` of `pnpm test -- …` as an argument.
  () => runTool('vitest', ['run', ...process.argv.slice(2).filter((arg) => arg !== '--')]),
)
