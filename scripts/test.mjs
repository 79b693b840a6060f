// Runs every test, those in a real browser included. Arguments go to vitest: `pnpm test packages/core`. In CI those
// against PostgreSQL and Redis, in Firefox and WebKitGTK, and with failing disks are never left out.

import { ensureBrowsers } from './ensure-browsers.mjs'
import { ensureChromium } from './ensure-chromium.mjs'
import { ensureCompiler } from './ensure-compiler.mjs'
import { ensureServices } from './ensure-services.mjs'
import { buildPackages, buildWeb } from './lib/build.mjs'
import { runTool, steps } from './lib/run.mjs'

let stopServices = async () => {}

/** A step out of something that throws where it cannot go on. */
const step = (action) => async () => {
  try {
    await action()
    return 0
  } catch (error) {
    console.error(error.message)
    return 1
  }
}

await steps(
  buildPackages,
  buildWeb,
  step(async () => console.log(`Chromium: ${await ensureChromium()}`)),
  step(async () => {
    if (!process.env.CI) return
    await ensureBrowsers()
    await ensureCompiler()
    stopServices = await ensureServices()
  }),
  async () => {
    // A signal ends vitest, and then this goes on.
    try {
      // pnpm hands over the `--` of `pnpm test -- …` as an argument.
      return await runTool('vitest', ['run', ...process.argv.slice(2).filter((arg) => arg !== '--')])
    } finally {
      await stopServices()
    }
  },
)
