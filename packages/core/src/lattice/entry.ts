import { compareStamps, compareText, type Stamp, type StampPart } from './stamp.js'

/**
 * One statement about one register of one subject. The value is kept as its canonical JSON text: that is what breaks ties,
 * and reading it can wait until somebody looks.
 */
export interface Entry {
  /** What the entry is about: a channel, a draft, or the user's document as a whole. */
  readonly subject: string
  readonly register: string
  readonly stamp: Stamp
  /** Canonical JSON, or the empty string for an entry whose stamp says it all. */
  readonly value: string
}

const SEPARATOR = '\t'

/**
 * Writes an entry as the one line that is stored: subject, register, stamp and value, separated by tabs. One string per
 * entry loads five times as fast as an array of values, and two entries are the same if and only if their lines are.
 */
export function encodeEntry({ subject, register, stamp, value }: Entry): string {
  const line = `${escapeName(subject)}${SEPARATOR}${escapeName(register)}${SEPARATOR}${JSON.stringify(stamp).slice(1, -1)}`
  return value === '' ? line : `${line}${SEPARATOR}${value}`
}

/** Reads a stored line, or `null` for what is no entry. */
export function decodeEntry(line: string): StoredEntry | null {
  const subjectEnd = line.indexOf(SEPARATOR)
  const registerEnd = line.indexOf(SEPARATOR, subjectEnd + 1)
  if (subjectEnd < 0 || registerEnd < 0) return null
  const separator = line.indexOf(SEPARATOR, registerEnd + 1)
  const stampEnd = separator < 0 ? line.length : separator
  const stamp = parseStamp(line.slice(registerEnd + 1, stampEnd))
  if (!stamp) return null
  const subject = unescapeName(line.slice(0, subjectEnd))
  const register = unescapeName(line.slice(subjectEnd + 1, registerEnd))
  const entry = new StoredEntry(subject, register, line, registerEnd + 1, stampEnd)
  lastRead = entry
  lastStamp = stamp
  return entry
}

// The stamp of what was read last is asked for at once, and then seldom again.
let lastRead: StoredEntry | null = null
let lastStamp: Stamp = []

/**
 * An entry together with its line. Stamp and value stay a part of the line: a list holds tens of thousands of these, and to
 * keep what can be read again would cost more than to read it.
 */
export class StoredEntry implements Entry {
  subject: string
  readonly register: string
  readonly line: string
  private readonly stampStart: number
  private readonly stampEnd: number

  constructor(subject: string, register: string, line: string, stampStart: number, stampEnd: number) {
    this.subject = subject
    this.register = register
    this.line = line
    this.stampStart = stampStart
    this.stampEnd = stampEnd
  }

  get stamp(): Stamp {
    if (lastRead === this) return lastStamp
    return parseStamp(this.line.slice(this.stampStart, this.stampEnd)) ?? []
  }

  get value(): string {
    return this.line.slice(this.stampEnd + 1)
  }
}

/** The order of entries of one register: by stamp, then by the text of the value. Only equal entries compare as 0. */
export function compareEntries(a: Pick<Entry, 'stamp' | 'value'>, b: Pick<Entry, 'stamp' | 'value'>): number {
  return compareStamps(a.stamp, b.stamp) || compareText(a.value, b.value)
}

/** Reads the value of an entry; `undefined` if it has none or is no JSON. */
export function parseValue(value: string): unknown {
  if (value === '') return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** Tabs and control characters are rare in ids; where they occur they are written as JSON writes them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const NEEDS_ESCAPE = /[\u0000-\u001f\\"\ud800-\udfff]/

function escapeName(name: string): string {
  return NEEDS_ESCAPE.test(name) ? JSON.stringify(name).slice(1, -1) : name
}

function unescapeName(name: string): string {
  return name.includes('\\') ? ((parseValue(`"${name}"`) as string | undefined) ?? name) : name
}

const COMMA = 44
const ZERO = 48
/** Integers of up to this many digits are read here; JSON.parse takes four times as long, for each of all entries. */
const MAX_DIGITS = 15

function parseStamp(text: string): Stamp | null {
  const integers = parseIntegers(text)
  if (integers) return integers
  const parts = parseValue(`[${text}]`)
  return Array.isArray(parts) && parts.length > 0 && parts.every(isStampPart) ? parts : null
}

/** Reads `12` and `12,0`, the commonest stamps; `null` for anything else, leading zeros included. */
function parseIntegers(text: string): [number] | [number, number] | null {
  let first: number | null = null
  let value = 0
  let digits = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? COMMA : text.charCodeAt(i)
    if (code === COMMA) {
      if (digits === 0) return null
      if (i === text.length) return first === null ? [value] : [first, value]
      if (first !== null) return null
      first = value
      value = 0
      digits = 0
    } else {
      const digit = code - ZERO
      if (digit < 0 || digit > 9 || digits === MAX_DIGITS || (digits > 0 && value === 0)) return null
      value = value * 10 + digit
      digits++
    }
  }
  return null
}

function isStampPart(part: unknown): part is StampPart {
  return typeof part === 'string' || (typeof part === 'number' && Number.isFinite(part))
}
