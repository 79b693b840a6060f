// Type-checks the sources and then the tests, which no build compiles.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runTool, steps } from './lib/run.mjs'

const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
)
const tests = [...folders, 'test']
  .map((folder) => `${folder}/tsconfig.test.json`)
  .filter((file) => existsSync(join(root, file)))

await steps(() => runTool('tsc', ['-b', 'tsconfig.json', 'tsconfig.tools.json', ...tests]))
