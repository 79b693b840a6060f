import * as Y from 'yjs'
import { asObject } from '../conversation/facts.js'

/**
 * Which characters of a draft's text an act was about, by the clocks under which each client typed them. Sent or cleared
 * are the characters themselves, not a string: what somebody typed meanwhile is not among them, wherever it stands.
 */
export type Coverage = ReadonlyMap<number, readonly ClockRange[]>

/** Clocks from `from` up to, and without, `to`. */
interface ClockRange {
  readonly from: number
  readonly to: number
}

/** A stretch of a text that one client typed in one go and nobody deleted. */
interface TextRun extends ClockRange {
  readonly client: number
  readonly text: string
  /** Where it begins in the text. */
  readonly index: number
}

/** Covers all characters that are in a text now. */
export function coverageOf(text: Y.Text): Coverage {
  const coverage = new Map<number, [ClockRange]>()
  for (const { client, from, to } of textRuns(text)) {
    const [known] = coverage.get(client) ?? [{ from, to }]
    coverage.set(client, [{ from: Math.min(known.from, from), to: Math.max(known.to, to) }])
  }
  return coverage
}

/** Covers the characters that none of the acts was about; of one client only, if one is given. */
export function remainderOf(text: Y.Text, acts: readonly Coverage[], onlyClient?: number): Coverage {
  const coverage = new Map<number, ClockRange[]>()
  for (const run of textRuns(text)) {
    if (onlyClient !== undefined && run.client !== onlyClient) continue
    const ranges = coverage.get(run.client)
    if (ranges) ranges.push(...uncoveredParts(run, acts))
    else coverage.set(run.client, uncoveredParts(run, acts))
  }
  return coverage
}

/** The characters of a text that none of the acts was about, in their order. */
export function uncoveredText(text: Y.Text, acts: readonly Coverage[]): string {
  let rest = ''
  for (const run of textRuns(text)) for (const part of uncoveredParts(run, acts)) rest += slice(run, part)
  return rest
}

/** The characters of a text that an act is about, in their order. */
export function coveredText(text: Y.Text, act: Coverage): string {
  let covered = ''
  for (const run of textRuns(text)) for (const part of coveredParts(run, [act])) covered += slice(run, part)
  return covered
}

/** Deletes the characters of a text that the acts were about; call it inside of a transaction. */
export function deleteCovered(text: Y.Text, acts: readonly Coverage[]): void {
  for (const run of [...textRuns(text)].reverse()) {
    for (const { from, to } of coveredParts(run, acts).reverse())
      text.delete(run.index + from - run.from, to - from)
  }
}

/** The form in which a coverage is stored: by client, the two ends of each range in a row. */
export function encodeCoverage(coverage: Coverage): Record<string, number[]> {
  return Object.fromEntries(
    [...coverage].map(([client, ranges]) => [client, ranges.flatMap(({ from, to }) => [from, to])]),
  )
}

/** Reads a stored coverage; what cannot be read covers nothing. */
export function decodeCoverage(value: unknown): Coverage {
  const coverage = new Map<number, ClockRange[]>()
  for (const [client, ends] of Object.entries(asObject(value))) {
    if (!Array.isArray(ends) || !ends.every((end) => typeof end === 'number')) continue
    const ranges: ClockRange[] = []
    for (let i = 0; i + 1 < ends.length; i += 2)
      ranges.push({ from: ends[i] as number, to: ends[i + 1] as number })
    coverage.set(Number(client), ranges)
  }
  return coverage
}

/** The parts of a run that some act was about, in ascending order and apart from each other. */
function coveredParts({ client, from, to }: TextRun, acts: readonly Coverage[]): ClockRange[] {
  const clipped = acts
    .flatMap((act) => act.get(client) ?? [])
    .map((range) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }))
    .filter((range) => range.from < range.to)
    .sort((a, b) => a.from - b.from)
  const parts: Array<{ from: number; to: number }> = []
  for (const range of clipped) {
    const last = parts.at(-1)
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else parts.push({ ...range })
  }
  return parts
}

function uncoveredParts(run: TextRun, acts: readonly Coverage[]): ClockRange[] {
  const parts: ClockRange[] = []
  let { from } = run
  for (const covered of coveredParts(run, acts)) {
    if (from < covered.from) parts.push({ from, to: covered.from })
    from = covered.to
  }
  if (from < run.to) parts.push({ from, to: run.to })
  return parts
}

function slice(run: TextRun, { from, to }: ClockRange): string {
  return run.text.slice(from - run.from, to - run.from)
}

function* textRuns(text: Y.Text): Generator<TextRun> {
  let index = 0
  // Yjs offers no other way to learn who typed which character.
  for (let item = text._start; item; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (item.content instanceof Y.ContentString) {
      const { client, clock } = item.id
      yield { client, from: clock, to: clock + item.length, text: item.content.str, index }
    }
    index += item.length
  }
}
