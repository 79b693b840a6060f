import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type Example, readExamples } from './readExamples.js'

// Beside this file, so that the packages' names mean what they mean to whoever installs them.
const folder = fileURLToPath(new URL('./.written/', import.meta.url))
mkdirSync(folder, { recursive: true })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run({ place, language, code }: Example): Promise<void> {
  const file = `${folder}${place.replace(/\W/g, '_')}.${language}`
  writeFileSync(file, code)
  await import(/* @vite-ignore */ file)
}

const examples = readExamples()
/** Those that declare tests themselves, which cannot be done inside of one. */
const suites = examples.filter(({ code }) => code.includes('/testing') && /\brun\w+Tests\(/.test(code))
for (const suite of suites) await run(suite)

describe('examples in docstrings', () => {
  it('there are some in each package', () => {
    for (const name of ['core', 'client', 'server', 'react']) {
      expect(examples.some(({ place }) => place.startsWith(`packages/${name}/`))).toBe(true)
    }
  })

  it.each(examples.filter((example) => !suites.includes(example)))('$place runs', run)
})
