import { describe, expect, it } from 'vitest'
import { listFolders, parseSource, readSources, type SyntaxNode, walk } from '../architecture/sources.js'

/** A regular expression of the sources. */
interface Found {
  /** Where it is, and what it says. */
  readonly name: string
  readonly pattern: string
  readonly flags: string
}

/** Those that are put together while the program runs, as they are there with a harmless part. */
const BUILT: Readonly<Record<string, readonly Found[]>> = {
  'packages/server/src/observe/withoutSecrets.ts': [
    { name: 'withoutSecrets', pattern: '[\\w.+=~-]{32,}', flags: 'g' },
  ],
  'packages/wukong/src/json/exactJson.ts': [
    { name: 'stringifyExactJson', pattern: '"@mark@(-?\\d+)"', flags: 'g' },
  ],
  'apps/web/src/demo/chat/mentions.ts': [
    { name: 'mentions', pattern: '(^|[^\\p{L}\\p{N}_])name($|[^\\p{L}\\p{N}_])', flags: 'iu' },
  ],
}

const sources = listFolders().flatMap(readSources)

function literalsOf(file: string, program: SyntaxNode): Found[] {
  const found: Found[] = []
  walk(program, (node) => {
    const { regex } = node as { regex?: { pattern: string; flags: string } }
    if (node.type === 'Literal' && regex) found.push({ name: `${file} /${regex.pattern}/`, ...regex })
  })
  return found
}

function buildsOne(program: SyntaxNode): boolean {
  let isBuilt = false
  walk(program, ({ type, callee }) => {
    if (type !== 'NewExpression' && type !== 'CallExpression') return
    if ((callee as { name?: string } | undefined)?.name === 'RegExp') isBuilt = true
  })
  return isBuilt
}

const literals = sources.flatMap(({ file, program }) => literalsOf(file, program))

/** What an expression may be matched against: pieces of what it names, and of what it does not. */
function piecesOf(pattern: string): string[] {
  const words = pattern.match(/[\p{L}\p{N}]{2,}/gu) ?? []
  const chars = pattern.replace(/\\[pP]\{\w+\}|\\./g, '').match(/[^()[\]{}?*+^$|]/gu) ?? []
  const classes = [
    '0',
    'a',
    ' ',
    '\n',
    '-',
    '.',
    ':',
    '/',
    '_',
    '|',
    '"',
    '=',
    '@',
    '[',
    ']',
    '!',
    '\u00e4',
    'http://',
    '\\',
    '\\"',
  ]
  return [...new Set([...words, ...chars, ...classes])]
}

const MAX_PAIRS = 400
/** So that what grows with the square takes a second, and what does not takes no time at all. */
const N = 4_000

function* hostileTexts({ pattern }: Found): Generator<(n: number) => string> {
  const pieces = piecesOf(pattern)
  for (const piece of pieces) {
    yield (n) => piece.repeat(n)
    yield (n) => `${piece.repeat(n)}\u0000`
  }
  let pairs = 0
  for (const first of pieces) {
    for (const second of pieces) {
      if (first === second || pairs++ >= MAX_PAIRS) continue
      yield (n) => `${first}${second.repeat(n)}\u0000`
      yield (n) => `${(first + second).repeat(n / 2)}\u0000`
    }
  }
}

/** How long it takes to find all matches, in milliseconds. */
function timeOf({ pattern, flags }: Found, text: string): number {
  const regex = new RegExp(pattern, flags)
  const start = performance.now()
  text.replace(regex, '')
  return performance.now() - start
}

const FLOOR_MS = 5

/** A text on which 4n takes more than eight times as long as n, the best of three times each; `null` if there is none. */
function findSuperlinear(found: Found): string | null {
  for (const make of hostileTexts(found)) {
    const texts = [N, 2 * N, 4 * N].map(make)
    if (timeOf(found, texts[2] as string) < 8 * FLOOR_MS) continue
    const [once = 0, , fourTimes = 0] = texts.map((text) =>
      Math.min(...Array.from({ length: 3 }, () => timeOf(found, text))),
    )
    if (fourTimes > 8 * Math.max(once, FLOOR_MS)) return make(3)
  }
  return null
}

describe('regular expressions', () => {
  it('[JSN3] finds the literals of the sources, and a quadratic one', () => {
    expect(literals.length).toBeGreaterThan(30)
    const { file, program } = parseSource(
      'x.ts',
      String.raw`text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|\d+/g, '')`,
    )
    const [quadratic] = literalsOf(file, program)
    expect(findSuperlinear(quadratic as Found)).not.toBeNull()
  })

  it('[JSN3] knows every expression that is built while the program runs', () => {
    const built = sources.filter(({ program }) => buildsOne(program)).map(({ file }) => file)
    expect(built.sort()).toEqual(Object.keys(BUILT).sort())
  })

  it.each([...literals, ...Object.values(BUILT).flat()])('[JSN3] matches $name in linear time', (found) => {
    expect(findSuperlinear(found)).toBeNull()
  })
})
