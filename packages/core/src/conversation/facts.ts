import type { Registers, Winner } from '../document/registerTable.js'
import { parseValue } from '../lattice/entry.js'
import { splitRegister } from '../lattice/registers.js'
import type { Stamp } from '../lattice/stamp.js'
import type { Version } from '../lattice/version.js'
import { isPinIndex } from './pinIndex.js'
import { type Run, unionOfRuns } from './runs.js'

/** What a provider last said of a conversation: evidence for the badge, never a change of what the user did. */
export interface Provided {
  readonly lastMsgSeq: number
  readonly version: Version
  readonly unread: number
}

/** The registers of one channel, read: numbers instead of entries, families gathered. Everything shown follows from it. */
export interface ChannelFacts {
  readonly head: Winner | undefined
  readonly headSeq: number
  readonly readSeq: number
  readonly ownSeq: number
  readonly joinSeq: number
  readonly browseTo: number
  /** The silent messages known, whichever device saw them. */
  readonly quiet: readonly Run[]
  readonly mentionSeqs: readonly number[]
  readonly provided: Provided | null
  /** The unread marks that stand. */
  readonly marks: readonly Winner[]
  readonly deleted: Floor
  readonly archived: Floor
  /** When it was created by the user, by the logical clock and by the wall clock; `null` and 0 if it was not. */
  readonly created: Stamp | null
  readonly createdAt: number
  readonly pin: string | null
  readonly muteUntil: number
  readonly keep: Winner | undefined
  readonly attributes: readonly Winner[]
  readonly reminders: readonly Winner[]
}

/**
 * What deletes or archives of a conversation add up to: it is hidden while no message above `seq` is known, and shows again
 * by itself when there is one.
 */
export interface Floor {
  /** The greatest message any device hid, or -1 if none did. */
  readonly seq: number
  /** The hiding acts that stand, not undone. */
  readonly acts: readonly Winner[]
  /** What undos left: the floors to which they went back. */
  readonly undone: readonly Winner[]
}

/** Reads the registers of a channel. */
export function readFacts(registers: Registers): ChannelFacts {
  let quiet = NO_RUNS
  let mentionSeqs = NO_SEQS
  let marks = NO_WINNERS
  let deleted = NO_WINNERS
  let archived = NO_WINNERS
  let attributes = NO_WINNERS
  let reminders = NO_WINNERS
  for (const winner of registers) {
    if (!winner.register.includes('.')) continue
    const [family, member] = splitRegister(winner.register)
    if (family === 'quiet.') quiet = append(quiet, { from: Number(member), to: winner.stamp[0] as number })
    else if (family === 'mention.') mentionSeqs = append(mentionSeqs, Number(member))
    else if (family === 'unreadMark.') {
      if (winner.stamp[3] === 0) marks = append(marks, winner)
    } else if (family === 'deleted.') deleted = append(deleted, winner)
    else if (family === 'archived.') archived = append(archived, winner)
    else if (family === 'x.') attributes = append(attributes, winner)
    else if (family === 'reminder.') reminders = append(reminders, winner)
  }
  const first = (register: string): number => (registers.get(register)?.stamp[0] as number | undefined) ?? 0
  const provided = registers.get('provided')
  const created = registers.get('created')
  return {
    head: registers.get('head'),
    headSeq: first('head'),
    readSeq: first('read'),
    ownSeq: first('own'),
    joinSeq: first('join'),
    browseTo: first('browseTo'),
    quiet: unionOfRuns(quiet),
    mentionSeqs,
    provided: provided ? readProvided(provided) : null,
    marks,
    deleted: readFloor(deleted),
    archived: readFloor(archived),
    created: created?.stamp ?? null,
    createdAt: created ? readTime(created) : 0,
    pin: readPin(registers.get('pin')),
    muteUntil: readMute(registers.get('mute')),
    keep: registers.get('keep'),
    attributes,
    reminders,
  }
}

// Most conversations have none of a family; ten thousand lists of nothing would cost as much as all else.
const NO_RUNS: readonly Run[] = []
const NO_SEQS: readonly number[] = []
const NO_WINNERS: readonly Winner[] = []
const NO_FLOOR: Floor = { seq: -1, acts: NO_WINNERS, undone: NO_WINNERS }

/** Adds to a list that is this function's own, or to a copy of one of the shared empty ones. */
function append<Element>(list: readonly Element[], element: Element): readonly Element[] {
  if (list.length === 0) return [element]
  ;(list as Element[]).push(element)
  return list
}

/** The value of a `deleted` or `archived` entry. */
export interface FloorValue {
  readonly toSeq: number
  /** The floor before this act, to which an undo goes back. */
  readonly before: number
}

/** Reads the value of a `deleted` or `archived` entry; one that cannot be read hides nothing. */
export function readFloorValue(winner: Winner): FloorValue {
  const { toSeq, before } = asObject(parseValue(winner.value))
  return { toSeq: isSeq(toSeq) ? toSeq : -1, before: isSeq(before) ? before : -1 }
}

function readFloor(winners: readonly Winner[]): Floor {
  if (winners.length === 0) return NO_FLOOR
  let seq = -1
  for (const winner of winners) seq = Math.max(seq, readFloorValue(winner).toSeq)
  return {
    seq,
    acts: winners.filter(({ stamp }) => stamp[3] === 0),
    undone: winners.filter(({ stamp }) => stamp[3] !== 0),
  }
}

function readProvided({ stamp }: Winner): Provided {
  return { lastMsgSeq: stamp[0] as number, version: stamp[1] as Version, unread: -(stamp[2] as number) }
}

function readTime({ value }: Winner): number {
  const time = parseValue(value)
  return typeof time === 'number' && time > 0 ? time : 0
}

function readPin(winner: Winner | undefined): string | null {
  const index = winner && parseValue(winner.value)
  return typeof index === 'string' && isPinIndex(index) ? index : null
}

function readMute(winner: Winner | undefined): number {
  const { until } = asObject(winner && parseValue(winner.value))
  return typeof until === 'number' && until > 0 ? until : 0
}

/** The members of a value, none if it is no object. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
