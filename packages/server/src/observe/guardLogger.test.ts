import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ServerError } from '../errors.js'
import type { LogFields, Logger } from '../logger.js'
import { guardLogger } from './guardLogger.js'

const TOKEN = `eyJhbGciOiJIUzI1NiJ9.${'x'.repeat(40)}.${'y'.repeat(43)}`

/** What a logger behind the guard is handed. */
function written(fields: object, message = 'something'): Record<string, unknown> {
  let line: Record<string, unknown> = {}
  const log = (passed: LogFields, text: string): void => {
    line = { ...passed, msg: text }
  }
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  guardLogger(logger).error(fields, message)
  return line
}

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('the guard of the log', () => {
  it('[A4] lets known members through and drops all others', () => {
    const fields = { room: 'alice', code: 4400, body: 'a text', headers: { token: 'abc' }, url: undefined }
    expect(written(fields)).toEqual({ room: 'alice', code: 4400, msg: 'something' })
  })

  it('[A4] cuts out of reasons what looks like a token, and cuts long ones', () => {
    const { reason } = written({ reason: `the token ${TOKEN}\nis not valid ${'word '.repeat(1000)}` })
    expect(reason).toMatch(/^the token … is not valid word/)
    expect(String(reason).length).toBeLessThan(310)
    expect(written({}, `hello ${TOKEN}`).msg).toBe('hello …')
  })

  it('[A4] tells of rows in quarantine which they are, not what was wrong with what they hold', () => {
    expect(written({ rows: [{ version: 3, reason: 'a text' }, 5] }).rows).toEqual([3, 5])
  })

  it('[A4] tells kind and place of an error that may quote its input, and not its message', () => {
    const error = thrownBy(() => JSON.parse('{"content": my secret words}'))
    expect(String(error)).toContain('secret')
    const { err } = written({ err: new TypeError('my secret words', { cause: error }) })
    expect(err).toMatchObject({
      type: 'TypeError',
      stack: expect.stringMatching(/^\s+at .*guardLogger\.test/),
      cause: { type: 'SyntaxError' },
    })
    expect(JSON.stringify(err)).not.toContain('secret')
    expect(written({ err: 'my secret words' }).err).toEqual({ type: 'string' })
    const ofDatabase = Object.assign(new Error('invalid input: "my secret words"'), { code: '22P02' })
    expect(written({ err: ofDatabase }).err).toMatchObject({ type: 'Error', code: '22P02' })
    expect(JSON.stringify(written({ err: ofDatabase }))).not.toContain('secret')
  })

  it('tells what the server, the system and the database say went wrong, and why', () => {
    const missing = thrownBy(() => readFileSync('/nowhere/at/all'))
    const { err } = written({ err: new ServerError('store-unavailable', 'It failed', { cause: missing }) })
    expect(err).toMatchObject({
      type: 'ServerError',
      code: 'store-unavailable',
      message: 'It failed',
      cause: { code: 'ENOENT', message: expect.stringContaining('/nowhere/at/all') },
    })
    const level = Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' })
    expect(written({ err: level }).err).toMatchObject({ message: 'IO error: No space left on device' })
    const shutdown = Object.assign(new Error('terminating connection'), { code: '57P01' })
    expect(written({ err: shutdown }).err).toMatchObject({ message: 'terminating connection' })
  })

  it('describes an error once, however many guards it passes', () => {
    const passed: LogFields[] = []
    const log = (fields: LogFields): void => void passed.push(fields)
    const logger = guardLogger({ debug: log, info: log, warn: log, error: log })
    guardLogger(logger).error({ err: new TypeError('x') }, 'it failed')
    expect(passed).toMatchObject([{ err: { type: 'TypeError' } }])
  })

  it('follows causes that cause each other only so far', () => {
    const error = new Error('one')
    error.cause = error
    expect(JSON.stringify(written({ err: error })).length).toBeLessThan(20_000)
  })
})
