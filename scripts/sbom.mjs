// Writes reports/sbom.cdx.json: what the command `parley` and the server ship with, as CycloneDX, from the lockfile.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}reports/sbom.cdx.json`
const PNPM = /pnpm@[\d.]+/.exec(readFileSync(`${root}.ci/run`, 'utf8'))[0]
/** What nobody can do without: the list is wrong if one of them is not in it. */
const REQUIRED = ['classic-level', 'fastify', 'jose', 'pg', 'ws', 'yjs']

const args = [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-spec-version',
  '1.6',
  '--sbom-type',
  'application',
]
const text = execFileSync(
  'npx',
  ['--yes', PNPM, ...args, '--prod', '--lockfile-only', '--filter', '@parley/cli'],
  {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  },
)
const bom = JSON.parse(text)
const names = new Set(bom.components.map(({ group, name }) => (group ? `${group}/${name}` : name)))
const missing = REQUIRED.filter((name) => !names.has(name))
if (bom.bomFormat !== 'CycloneDX' || missing.length > 0) {
  console.error(`The list is not complete: ${missing.join(', ') || 'it is no CycloneDX'}`)
  process.exit(1)
}
mkdirSync(`${root}reports`, { recursive: true })
writeFileSync(file, text)
console.log(`Wrote reports/sbom.cdx.json: ${names.size} packages`)
