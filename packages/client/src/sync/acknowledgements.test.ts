import { describe, expect, it, vi } from 'vitest'
import { createAcknowledgements, type EditMarks } from './acknowledgements.js'

function setUp() {
  const ask = vi.fn<(token: number) => void>()
  const durable: Array<Record<string, number>> = []
  const acknowledgements = createAcknowledgements({
    ask,
    onDurable: (marks: EditMarks) => void durable.push(Object.fromEntries(marks)),
    isTransferring: () => false,
    onUnanswered: () => {},
    schedule: () => () => {},
  })
  return { ask, durable, acknowledgements }
}

const soon = () => Promise.resolve()

describe('acknowledgements', () => {
  it('[CL21] an answer covers what was noted before the question, and no more', async () => {
    const { ask, durable, acknowledgements } = setUp()
    acknowledgements.note('a', 1)
    acknowledgements.connected()
    acknowledgements.note('a', 2)
    expect(ask).not.toHaveBeenCalled()
    await soon()
    expect(ask.mock.calls).toEqual([[1]])
    acknowledgements.note('a', 3)
    acknowledgements.note('b', 7)
    acknowledgements.answered(1)
    expect(durable).toEqual([{ a: 2 }])
    expect(acknowledgements.settled).toBe(false)
    await soon()
    expect(ask.mock.calls).toEqual([[1], [2]])
    acknowledgements.answered(2)
    expect(durable.at(-1)).toEqual({ a: 3, b: 7 })
    expect(acknowledgements.settled).toBe(true)
  })

  it('[CL21] neither a late answer nor one to another question counts', async () => {
    const { ask, durable, acknowledgements } = setUp()
    acknowledgements.note('a', 1)
    acknowledgements.connected()
    await soon()
    acknowledgements.answered(7)
    acknowledgements.disconnected()
    acknowledgements.answered(1)
    expect(durable).toEqual([])
    acknowledgements.note('a', 2)
    await soon()
    expect(ask).toHaveBeenCalledTimes(1)
    acknowledgements.connected()
    await soon()
    acknowledgements.answered(2)
    expect(durable).toEqual([{ a: 2 }])
  })

  it('[CL21] what was loaded is asked for once on each connection', async () => {
    const { ask, acknowledgements } = setUp()
    acknowledgements.connected()
    await soon()
    acknowledgements.answered(1)
    acknowledgements.disconnected()
    acknowledgements.connected()
    await soon()
    expect(ask).toHaveBeenCalledTimes(2)
  })
})
