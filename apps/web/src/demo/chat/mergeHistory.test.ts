import { expect, it } from 'vitest'
import { mergeHistory } from './mergeHistory.js'

it('mergeHistory puts messages in order, each once, the chat server before the sample', () => {
  const message = (messageSeq: number, content: string) => ({
    messageSeq,
    fromUid: 'a',
    timestamp: 0,
    content,
  })
  const merged = mergeHistory(
    [
      [1, 'a', 5, 'one'],
      [2, 'b', 6, 'two'],
    ],
    [message(2, 'two, edited'), message(4, 'four')],
    message(3, 'three'),
  )
  expect(merged.map(({ content }) => content)).toEqual(['one', 'two, edited', 'three', 'four'])
  expect(merged[0]?.timestamp).toBe(5000)
  expect(mergeHistory([[1, 'a', 5, 'one']], [], message(1, 'head')).map(({ content }) => content)).toEqual([
    'one',
  ])
})
