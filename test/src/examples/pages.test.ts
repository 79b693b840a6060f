// @vitest-environment happy-dom
import { afterAll, describe, expect, it } from 'vitest'
import { codeBlocksOf, readExamples } from './readExamples.js'
import { removeExamples, runExample } from './runExample.js'

afterAll(removeExamples)

const examples = readExamples().filter(({ place }) => place.startsWith('packages/react/'))

describe('examples that need a page', () => {
  it('there are some', () => {
    expect(examples.length).toBeGreaterThan(5)
  })

  it.each(examples)('$place runs', runExample)

  it('the code of the root README renders the list with a badge of 1', async () => {
    const [example] = codeBlocksOf('README.md')
    if (!example) throw new Error('README.md has no TypeScript')
    await runExample(example)
    expect(document.body.textContent).toBe('bob (1): Lunch?')
  })
})
