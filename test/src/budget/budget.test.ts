import { afterAll, describe, expect, it } from 'vitest'
import { HTTP_INPUTS } from './httpInputs.js'
import { type Goals, runInput } from './runner/runInput.js'
import { startTested, type Tested } from './runner/tested.js'
import { MESSAGE_INPUTS } from './syncInputs.js'

/** Wide, as CI may have no free core: what grows quadratically takes 16 times as long and stops the server for seconds. */
const GOALS: Goals = { growth: 8, delayMs: 5_000, memory: 256 * 1024 * 1024 }

const servers = new Map<'jwt' | 'open', Promise<Tested>>()
const serverFor = (auth: 'jwt' | 'open'): Promise<Tested> => {
  const known = servers.get(auth) ?? startTested(auth)
  servers.set(auth, known)
  return known
}
afterAll(async () => {
  for (const tested of servers.values()) await (await tested).stop()
})

describe('the server under hostile input', () => {
  const inputs = [...HTTP_INPUTS, ...MESSAGE_INPUTS].filter(({ sample }) => sample)

  it.each(inputs)('[HTTP1] spends CPU time in proportion to $name', async (input) => {
    const auth = (input.kind === 'http' && input.auth) || 'jwt'
    const result = await runInput(input, await serverFor(auth), GOALS)
    expect(result.faults, JSON.stringify(result.sizes)).toEqual([])
  })
})
