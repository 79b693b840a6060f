// Removes everything that a build made.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/run.mjs'

const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
)
for (const folder of [...folders, join(root, 'test')]) {
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  rmSync(join(folder, 'node_modules/.cache'), { recursive: true, force: true })
}
rmSync(join(root, 'reports'), { recursive: true, force: true })
