// Builds what there is and serves it, so that a fresh clone needs one command. The server prints its address
// itself, for only it knows which flags and variables it was given and whether the port was free.
import { join } from 'node:path'
import { buildPackages, buildWeb } from './lib/build.mjs'
import { root, run, steps } from './lib/run.mjs'

console.log('Building Parley …')
await steps(buildPackages, buildWeb, () =>
  run(process.execPath, [
    join(root, 'apps/server/dist/main.js'),
    'serve',
    '--web',
    join(root, 'apps/web/dist'),
    ...process.argv.slice(2),
  ]),
)
