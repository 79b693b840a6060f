// Runs the tests of faults in Chromium, Firefox and WebKitGTK, and prints what the status says of each in each browser as a table
// in Markdown. `pnpm faults --write` puts it into docs/browsers.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBrowsers } from './ensure-browsers.mjs'
import { ensureChromium } from './ensure-chromium.mjs'
import { root, runTool } from './lib/run.mjs'

const DOCUMENT = join(root, 'docs/browsers.md')
const BEGIN = '<!-- faults: begin -->'
const END = '<!-- faults: end -->'

await ensureChromium()
await ensureBrowsers()
const folder = mkdtempSync(join(tmpdir(), 'parley-faults-'))
const file = join(folder, 'rows.jsonl')
writeFileSync(file, '')
process.env.PARLEY_FAULTS_FILE = file
const code = await runTool('vitest', ['run', '--project', 'unit', 'packages/client/test/browsers'])
const found = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
rmSync(folder, { recursive: true })
const browsers = ['Chromium', 'Firefox', 'WebKitGTK'].map(
  (name) => new Map(found.find(({ browser }) => browser === name)?.rows ?? []),
)
const faults = [...new Set(browsers.flatMap((rows) => [...rows.keys()]))]
const table = [
  '| fault | Chromium | Firefox | WebKitGTK |',
  '| --- | --- | --- | --- |',
  ...faults.map(
    (fault) => `| ${[fault, ...browsers.map((rows) => rows.get(fault) ?? 'failed')].join(' | ')} |`,
  ),
].join('\n')
console.log(`\n${table}`)
if (process.argv.includes('--write') && code === 0) {
  const text = readFileSync(DOCUMENT, 'utf8')
  const [before] = text.split(BEGIN)
  const [, after] = text.split(END)
  writeFileSync(DOCUMENT, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`)
}
process.exit(code)
