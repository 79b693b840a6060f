import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

/**
 * @typedef {object} PublishedPackage
 * @property {string} dir absolute
 * @property {string} folder its name within packages/
 * @property {{ name: string, exports: Record<string, { types: string, default: string }> }} manifest
 */

/**
 * The packages that are published: every folder of packages/ whose package.json is not private.
 * @returns {PublishedPackage[]}
 */
export function publishedPackages() {
  return readdirSync(join(root, 'packages'))
    .map((folder) => {
      const dir = join(root, 'packages', folder)
      return { dir, folder, manifest: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }
    })
    .filter(({ manifest }) => manifest.private !== true)
}
