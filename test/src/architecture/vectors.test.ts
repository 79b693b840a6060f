import { expect, it } from 'vitest'
import { literal, readTests, walk } from './sources.js'

const VECTORS = Array.from({ length: 111 }, (_, index) => `J-${String(index + 1).padStart(2, '0')}`)

it('every vector of the provider API has a test that says whether it is kept, fixed or guarded against', () => {
  const unmarked = new Set(VECTORS)
  for (const { program } of readTests(['packages/wukong', 'packages/server'])) {
    walk(program, (node) => {
      const title = literal(node)
      if (!title || !/\b(keep|fix|guard)\b/.test(title)) return
      for (const [vector] of title.matchAll(/J-\d+/g)) unmarked.delete(vector)
    })
  }
  expect([...unmarked]).toEqual([])
})
