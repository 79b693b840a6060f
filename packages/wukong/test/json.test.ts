import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExactJson, parseLastMsgSeqs } from '../src/index.js'
import { readPayload } from '../src/wire/payload.js'

/** The least time a call took, of several, in milliseconds: what else runs on the machine only makes it longer. */
function leastMs(call: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now()
    call()
    return performance.now() - start
  })
  return Math.min(...times)
}

/** Times below this are noise. */
const FLOOR_MS = 5

/** How much longer 4n takes than n. */
function growth(parse: (text: string) => void, make: (n: number) => string, n: number): number {
  const [once, fourTimes] = [n, 4 * n].map((size) => {
    const text = make(size)
    return Math.max(
      FLOOR_MS,
      leastMs(() => parse(text)),
    )
  }) as [number, number]
  return fourTimes / once
}

/** As they are written there, by `JSON.stringify`: from 1e21 on with an exponent, which is no integer to the parser. */
function exact(_name: string, value: unknown): unknown {
  const isUnsafe = typeof value === 'number' && !Number.isSafeInteger(value)
  return isUnsafe && /^-?\d+$/.test(String(value)) ? String(value) : value
}

function parseAnything(text: string): void {
  try {
    parseExactJson(text)
  } catch {
    // What is refused must be refused in time, too.
  }
}

const LONG = '1234567890123456'
const TEXTS: Readonly<Record<string, (n: number) => string>> = {
  'a string that does not end': (n) => `${LONG} "${'\\"'.repeat(n)}`,
  'backslashes that do not end': (n) => `["${LONG}",${LONG}0,"${'\\'.repeat(n)}`,
  'a string behind a long integer': (n) => `[${LONG}0,"${'\\"'.repeat(n)}`,
  'a long integer': (n) => '9'.repeat(n),
  'a long fraction': (n) => `[${LONG}.${'9'.repeat(n)}]`,
  'many long integers': (n) => `[${`${LONG}789,`.repeat(n / 20)}1]`,
  'nested arrays': (n) => `[${LONG}0,${'['.repeat(n)}`,
  'nested objects': (n) => '{"a":'.repeat(n / 5) + LONG,
  'one name many times': (n) => `{${`"a":${LONG}0,`.repeat(n / 20)}"b":1}`,
  'many names': (n) => `{${Array.from({ length: n / 20 }, (_, i) => `"${i}":${LONG}0`).join()}}`,
  'quotation marks': (n) => LONG + '"'.repeat(n),
  'white space': (n) => `${LONG}0${' '.repeat(n)}x`,
}

describe('parseExactJson', () => {
  it('[JSN1] returns what JSON.parse returns, with integers beyond 2^53 as strings', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // The fraction makes it take the slow way, and changes nothing.
        const whole = `{"long":0.${'1'.repeat(20)},"value":${text}}`
        expect(parseExactJson(whole)).toEqual(JSON.parse(whole, exact))
      }),
    )
  })

  it('[JSN1] refuses what JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '"a"',
        '\\',
        '\\u00',
        '1',
        '-',
        '.',
        'e',
        LONG,
        '01',
        'null',
        ' ',
        '\n',
        '\u0001',
        '\uFEFF',
      ],
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const isJson = accepts(() => JSON.parse(text))
        expect([text, accepts(() => parseExactJson(text))]).toEqual([text, isJson])
      }),
      { numRuns: 3_000 },
    )
  })

  it('[JSN1] keeps the last of two members with one name, and __proto__ as a member', () => {
    const parsed = parseExactJson(`{"a":${LONG}00,"a":2,"__proto__":{"admin":true},"b":${LONG}00}`) as object
    expect(parsed).toEqual(JSON.parse(`{"a":2,"__proto__":{"admin":true},"b":"${LONG}00"}`))
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('[JSN1] keeps the digits of integers of any length', () => {
    const digits = '9'.repeat(400)
    expect(parseExactJson(`[${digits},-${digits},${LONG},1e400]`)).toEqual([
      digits,
      `-${digits}`,
      Number(LONG),
      Infinity,
    ])
  })

  it('[JSN1] refuses text that is nested too deeply and says so', () => {
    const deep = `[${LONG}00,${'['.repeat(100_000)}${']'.repeat(100_000)}]`
    expect(() => parseExactJson(deep, 'the body')).toThrow('the body must be JSON: it is nested too deeply')
  })

  it.each(Object.entries(TEXTS))('[JSN2] parses %s in linear time', (_name, make) => {
    expect(growth(parseAnything, make, 40_000)).toBeLessThan(8)
  })
})

describe('readPayload', () => {
  it.each(Object.entries(TEXTS))('[JSN2] reads %s in base64 in linear time', (_name, make) => {
    const read = (text: string): void => {
      try {
        readPayload(text, 'payload')
      } catch {
        // Refused in time.
      }
    }
    expect(growth(read, (n) => Buffer.from(make(n)).toString('base64'), 40_000)).toBeLessThan(8)
  })

  it('[JSN2] refuses line breaks and equals signs that are no base64 in linear time', () => {
    for (const part of ['\r\n', '=', 'a=']) {
      const read = (text: string): void => {
        expect(() => readPayload(text, 'payload')).toThrow('an object or base64')
      }
      expect(growth(read, (n) => `${part.repeat(n)}!`, 40_000)).toBeLessThan(8)
    }
  })
})

describe('parseLastMsgSeqs', () => {
  it.each(['|', '1', ':', ':1|', '1:1|', 'a:1:1|', '12345678901234567890|', '|:1:1', 'a|', '::1|1:'])(
    '[JSN2] reads repetitions of %j in linear time',
    (part) => {
      const parse = (text: string): void => parseLastMsgSeqs(text, () => false)
      expect(growth(parse, (n) => part.repeat(n), 50_000)).toBeLessThan(8)
    },
  )

  it('[JSN2] asks for at most eight channels for each place where an entry may begin', () => {
    let asked = 0
    const count = 1_000
    parseLastMsgSeqs('a:1:1|'.repeat(count), () => {
      asked++
      return false
    })
    expect(asked).toBeLessThanOrEqual(8 * count)
  })
})

function accepts(parse: () => void): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
