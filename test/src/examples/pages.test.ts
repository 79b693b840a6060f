// @vitest-environment happy-dom
import { afterAll, describe, expect, it } from 'vitest'
import { readExamples } from './readExamples.js'
import { removeExamples, runExample } from './runExample.js'

afterAll(removeExamples)

const examples = readExamples().filter(({ place }) => place.startsWith('packages/react/'))

describe('examples that need a page', () => {
  it('there are some', () => {
    expect(examples.length).toBeGreaterThan(5)
  })

  it.each(examples)('$place runs', runExample)
})
