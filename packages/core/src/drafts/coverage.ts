import * as Y from 'yjs'
import { asObject } from '../conversation/facts.js'

/**
 * Which characters of a draft's text an act was about: those of each client below a clock. Sent or cleared are the
 * characters themselves, not a string: what somebody typed meanwhile is not among them, wherever in the text it stands.
 */
export type Coverage = ReadonlyMap<number, number>

/** A stretch of a text that one client typed in one go and nobody deleted. */
interface TextRun {
  readonly client: number
  readonly clock: number
  readonly text: string
  /** Where it begins in the text. */
  readonly index: number
}

/** Covers all characters of a text that are in it now. */
export function coverageOf(text: Y.Text): Coverage {
  const coverage = new Map<number, number>()
  for (const { client, clock, text: typed } of textRuns(text)) {
    coverage.set(client, Math.max(coverage.get(client) ?? 0, clock + typed.length))
  }
  return coverage
}

/** Covers the characters of one client only. */
export function coverageOfClient(text: Y.Text, client: number): Coverage {
  return new Map([...coverageOf(text)].filter(([author]) => author === client))
}

/** The characters of a text that none of the acts was about, in their order. */
export function uncoveredText(text: Y.Text, acts: readonly Coverage[]): string {
  let rest = ''
  for (const run of textRuns(text)) rest += run.text.slice(coveredLength(run, acts))
  return rest
}

/** The characters of a text that one act is about and none of the others. */
export function coveredText(text: Y.Text, act: Coverage, others: readonly Coverage[]): string {
  let covered = ''
  for (const run of textRuns(text))
    covered += run.text.slice(coveredLength(run, others), coveredLength(run, [act]))
  return covered
}

/** Deletes the characters of a text that the acts were about; call it inside of a transaction. */
export function deleteCovered(text: Y.Text, acts: readonly Coverage[]): void {
  for (const run of [...textRuns(text)].reverse()) {
    const length = coveredLength(run, acts)
    if (length > 0) text.delete(run.index, length)
  }
}

/** The form in which a coverage is stored: clocks by client. */
export function encodeCoverage(coverage: Coverage): Record<string, number> {
  return Object.fromEntries(coverage)
}

/** Reads a stored coverage; what is no clock covers nothing. */
export function decodeCoverage(value: unknown): Coverage {
  return new Map(
    Object.entries(asObject(value)).flatMap(
      ([client, clock]): Array<[number, number]> =>
        typeof clock === 'number' ? [[Number(client), clock]] : [],
    ),
  )
}

/** A run's clocks rise from left to right, so what is covered of it is its beginning. */
function coveredLength({ client, clock, text }: TextRun, acts: readonly Coverage[]): number {
  const covered = Math.max(0, ...acts.map((act) => (act.get(client) ?? 0) - clock))
  return Math.min(covered, text.length)
}

function* textRuns(text: Y.Text): Generator<TextRun> {
  let index = 0
  // Yjs offers no other way to learn who typed which character.
  for (let item = text._start; item; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (item.content instanceof Y.ContentString) {
      yield { client: item.id.client, clock: item.id.clock, text: item.content.str, index }
    }
    index += item.length
  }
}
