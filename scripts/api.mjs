// Writes down the public API of every entry point that is published, as packages/*/etc/*.api.md, so that a change
// of it shows in review. With --check it writes nothing and fails where a report no longer describes the code.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { buildPackages } from './lib/build.mjs'
import { publishedPackages } from './lib/packages.mjs'
import { root, steps } from './lib/run.mjs'

const check = process.argv.includes('--check')
const failures = []
const missing = []

await steps(buildPackages)
for (const { dir, folder, manifest } of publishedPackages()) {
  const reportFolder = join(dir, 'etc')
  const workFolder = join(dir, 'node_modules/.cache/api')
  mkdirSync(reportFolder, { recursive: true })
  mkdirSync(workFolder, { recursive: true })
  const expected = new Set()
  for (const [entry, { types }] of Object.entries(manifest.exports)) {
    const name = `${folder}${entry.slice(1).replaceAll('/', '-')}.api.md`
    expected.add(name)
    const entryPoint = join(dir, types)
    if (!existsSync(entryPoint)) missing.push(entryPoint)
    else if (!report(dir, entryPoint, name, reportFolder, workFolder)) failures.push(join(reportFolder, name))
  }
  for (const name of readdirSync(reportFolder)) {
    if (!name.endsWith('.api.md') || expected.has(name)) continue
    // An entry point that is no longer exported.
    if (check) failures.push(join(reportFolder, name))
    else rmSync(join(reportFolder, name))
  }
}

for (const file of missing)
  console.error(`${relative(root, file)} is exported by its package and does not exist.`)
if (failures.length > 0) {
  console.error('\nThese reports differ from the public API. Look at the difference, then run `pnpm api`:')
  for (const file of failures) console.error(`  ${relative(root, file)}`)
}
if (missing.length + failures.length > 0) process.exitCode = 1

function report(dir, entryPoint, name, reportFolder, workFolder) {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(dir, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: dir,
      mainEntryPointFilePath: entryPoint,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(dir, 'tsconfig.json'), skipLibCheck: true },
      apiReport: { enabled: true, reportFileName: name, reportFolder, reportTempFolder: workFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'warning', addToApiReportFile: true },
          // Everything exported is public: there are no @public tags.
          'ae-missing-release-tag': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
  const result = Extractor.invoke(config, {
    // A local build copies the new report over the old one.
    localBuild: !check,
    messageCallback(message) {
      // It would say for every package that it is older than the TypeScript of the project, and what we say ourselves.
      const quiet = ['console-compiler-version-notice', 'console-preamble', 'console-api-report-not-copied']
      const own = ['console-api-report-copied', 'console-api-report-created', 'console-api-report-unchanged']
      if ([...quiet, ...own].includes(message.messageId)) message.logLevel = 'none'
    },
  })
  if (result.errorCount > 0) return false
  if (!result.apiReportChanged) return true
  if (!check) {
    console.log(`Wrote ${relative(root, join(reportFolder, name))}`)
    return true
  }
  showDifference(join(reportFolder, name), join(workFolder, name))
  return false
}

function showDifference(before, after) {
  try {
    execFileSync('git', ['--no-pager', 'diff', '--no-index', '--', before, after], {
      stdio: 'inherit',
      cwd: root,
    })
  } catch {
    // It exits with 1 when there is a difference.
  }
}
