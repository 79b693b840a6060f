// Adds up the JSON reports of vitest in a folder. Fails when a test failed or none ran; its last line is the count.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]

function reports() {
  try {
    return readdirSync(folder)
      .filter((name) => /^vitest.*\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  } catch (error) {
    console.log(`No report of the tests: ${error.message}`)
    return []
  }
}

let passed = 0
let failed = 0
let skipped = 0
for (const { testResults } of reports()) {
  for (const { status, assertionResults } of testResults) {
    const count = (wanted) => assertionResults.filter((test) => test.status === wanted).length
    passed += count('passed')
    failed += count('failed')
    skipped += assertionResults.length - count('passed') - count('failed')
    // A file that failed before it had a test, or outside of one: it would be missing from the count.
    if (status === 'failed' && count('failed') === 0) failed += 1
  }
}

if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
