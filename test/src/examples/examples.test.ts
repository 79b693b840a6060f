import { afterAll, describe, expect, it } from 'vitest'
import { needsServices, readExamples } from './readExamples.js'
import { removeExamples, runExample } from './runExample.js'

afterAll(removeExamples)

const examples = readExamples().filter(
  (example) => !example.place.startsWith('packages/react/') && !needsServices(example),
)
/** Those that declare tests themselves, which cannot be done inside of one. */
const suites = examples.filter(({ code }) => code.includes('/testing') && /\brun\w+Tests\(/.test(code))
for (const suite of suites) await runExample(suite)

describe('examples in docstrings', () => {
  it('there are some in each package', () => {
    for (const name of ['core', 'client', 'wukong', 'server']) {
      expect(examples.some(({ place }) => place.startsWith(`packages/${name}/`))).toBe(true)
    }
  })

  it.each(examples.filter((example) => !suites.includes(example)))('$place runs', runExample)
})
