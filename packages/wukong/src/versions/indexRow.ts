import { BLANK_EXTRA, NO_REMINDERS, type Shown, type ShownState } from './shown.js'

/** What a version index knows of a conversation. */
export interface IndexRow extends Shown {
  /** The version of its last visible change. */
  readonly version: number
  /** The version of the last change of its extra, 0 if it never had one. */
  readonly extraVersion: number
  /** The version of the last change of its reminders, 0 if it never had any. */
  readonly reminderVersion: number
}

/** A conversation of which nothing was known: the extra and the reminders of it have no version until there are any. */
const UNKNOWN: IndexRow = {
  state: 'absent',
  conversation: 0,
  extra: BLANK_EXTRA,
  reminders: NO_REMINDERS,
  headSeq: 0,
  unread: 0,
  mutedUntil: 0,
  version: 0,
  extraVersion: 0,
  reminderVersion: 0,
}

/** The row after a change; the same object if nothing of it changed. */
export function advanceRow(known: IndexRow | undefined, shown: Shown, version: number): IndexRow {
  const before = known ?? UNKNOWN
  // By the state too: what became of a conversation must be told even where its extra hides the difference.
  const isChanged = before.state !== shown.state || before.conversation !== shown.conversation
  const next: IndexRow = {
    ...shown,
    version: isChanged ? version : before.version,
    extraVersion: before.extra === shown.extra ? before.extraVersion : version,
    reminderVersion: before.reminders === shown.reminders ? before.reminderVersion : version,
  }
  return known && MEMBERS.every((member) => known[member] === next[member]) ? known : next
}

/** The row as it is stamped anew as a whole: what is blank now need not have been so to whoever is told. */
export function stampRow(row: IndexRow, version: number): IndexRow {
  return { ...row, version, extraVersion: version, reminderVersion: version }
}

const MEMBERS = Object.keys(UNKNOWN) as Array<keyof IndexRow>
const STATES: readonly ShownState[] = ['absent', 'deleted', 'visible']

/** Writes a row as a short line, to be stored. */
export function encodeIndexRow(row: IndexRow): string {
  const {
    state,
    conversation,
    extra,
    reminders,
    headSeq,
    unread,
    mutedUntil,
    version,
    extraVersion,
    reminderVersion,
  } = row
  const members = [
    STATES.indexOf(state),
    version,
    extraVersion,
    reminderVersion,
    headSeq,
    unread,
    mutedUntil,
    conversation,
    extra,
    reminders,
  ]
  return members.map((member) => member.toString(36)).join(' ')
}

/** Reads a stored line; `null` for what is none. */
export function decodeIndexRow(line: string): IndexRow | null {
  const members = line.split(' ').map((member) => Number.parseInt(member, 36))
  const state = STATES[members[0] as number]
  if (members.length !== 10 || !members.every(Number.isSafeInteger) || !state) return null
  const [
    ,
    version,
    extraVersion,
    reminderVersion,
    headSeq,
    unread,
    mutedUntil,
    conversation,
    extra,
    reminders,
  ] = members as [number, number, number, number, number, number, number, number, number, number]
  return {
    state,
    version,
    extraVersion,
    reminderVersion,
    headSeq,
    unread,
    mutedUntil,
    conversation,
    extra,
    reminders,
  }
}
