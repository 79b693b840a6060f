import { describe, expect, it, vi } from 'vitest'
import type { GetToken } from './token.js'
import { createTokenRenewal } from './tokenRenewal.js'

/** A renewal in a time of its own. */
function setUp(getToken: GetToken) {
  let now = 0
  const timers = new Set<{ at: number; task: () => void }>()
  const errors: unknown[] = []
  const sent: Array<[at: number, token: string]> = []
  const environment = {
    elapsed: () => now,
    random: () => 0,
    reportError: (error: unknown) => errors.push(error),
    schedule(task: () => void, delayMs: number) {
      const timer = { at: now + Math.min(delayMs, 2 ** 31 - 1), task }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  const renewal = createTokenRenewal({ getToken, environment, send: (token) => sent.push([now, token]) })
  renewal.began('first')
  /** Lets time pass, and what is asked meanwhile be answered. */
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const [next] = [...timers].sort((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      now = next.at
      timers.delete(next)
      next.task()
    }
    now = end
  }
  return { renewal, pass, sent, errors, timers }
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('the renewal of tokens', () => {
  it('[CL34] sends a fresh token a minute before the end, again and again', async () => {
    let count = 1
    const getToken = vi.fn<GetToken>(() => `token ${++count}`)
    const { renewal, pass, sent } = setUp(getToken)
    renewal.lasts(60 * MINUTE)
    await pass(59 * MINUTE)
    expect(sent).toEqual([[59 * MINUTE, 'token 2']])
    expect(getToken.mock.calls[0]?.[0].refresh).toBe(true)
    renewal.lasts(60 * MINUTE)
    await pass(59 * MINUTE)
    expect(sent.at(-1)).toEqual([118 * MINUTE, 'token 3'])
  })

  it('[CL34] halfway where there is less time, and further off than timers reach', async () => {
    const { renewal, pass, sent } = setUp(() => 'second')
    renewal.lasts(10_000)
    await pass(5_000)
    expect(sent).toEqual([[5_000, 'second']])
    const far = setUp(() => 'second')
    far.renewal.lasts(60 * DAY)
    await far.pass(60 * DAY - 2 * MINUTE)
    expect(far.sent).toEqual([])
    await far.pass(MINUTE)
    expect(far.sent).toEqual([[60 * DAY - MINUTE, 'second']])
  })

  it('[CL34] what fails, or brings the same token, is tried again while there is time', async () => {
    const answers: Array<() => string | null> = [
      () => {
        throw new Error('no network')
      },
      () => 'first',
      () => null,
      () => 'second',
    ]
    const { renewal, pass, sent, errors } = setUp(() => answers.shift()?.() ?? null)
    renewal.lasts(60 * MINUTE)
    await pass(60 * MINUTE - 7_500)
    expect(sent).toEqual([[60 * MINUTE - 7_500, 'second']])
    expect(errors).toHaveLength(1)
  })

  it('[CL34] does not ask without end for what never comes', async () => {
    const getToken = vi.fn<GetToken>(() => 'first')
    const { renewal, pass, sent, timers } = setUp(getToken)
    renewal.lasts(60 * MINUTE)
    await pass(60 * MINUTE)
    expect(getToken.mock.calls.length).toBeLessThan(10)
    expect([sent, timers.size]).toEqual([[], 0])
  })

  it('[CL34] asks when it is told to, and sends only what is new', async () => {
    let stored = 'first'
    const getToken = vi.fn<GetToken>(() => stored)
    const { renewal, pass, sent, timers } = setUp(getToken)
    renewal.lasts(null)
    expect(timers.size).toBe(0)
    renewal.ask()
    await pass(0)
    expect(sent).toEqual([])
    stored = 'second'
    renewal.ask()
    await pass(0)
    expect(sent).toEqual([[0, 'second']])
    expect(getToken.mock.calls.map(([{ refresh }]) => refresh)).toEqual([false, false])
  })

  it('[CL31] [CL34] with its connection ends what is under way', async () => {
    let signal: AbortSignal | undefined
    let answer = (_token: string): void => {}
    const { renewal, pass, sent, timers } = setUp((request) => {
      signal = request.signal
      return new Promise((resolve) => {
        answer = resolve
      })
    })
    renewal.lasts(MINUTE)
    await pass(30_000)
    renewal.stop()
    expect(signal?.aborted).toBe(true)
    answer('second')
    await pass(MINUTE)
    expect([sent, timers.size]).toEqual([[], 0])
  })
})
