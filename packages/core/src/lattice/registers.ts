import { startsWithHlc } from './hlc.js'
import type { Stamp } from './stamp.js'
import { isVersion } from './version.js'

/** The stamps a register takes. An entry with another stamp is kept in the document and ignored by all alike. */
type StampCheck = (stamp: Stamp, suffix: string) => boolean

const isCount = (part: unknown): part is number => Number.isSafeInteger(part) && (part as number) >= 0

const seq: StampCheck = (stamp) => stamp.length === 1 && isCount(stamp[0])
const seqAndVersion: StampCheck = (stamp) => stamp.length === 2 && isCount(stamp[0]) && isVersion(stamp[1])
const hlc: StampCheck = (stamp) => stamp.length === 3 && startsWithHlc(stamp)
const hlcAndFlag: StampCheck = (stamp) => stamp.length === 4 && startsWithHlc(stamp) && isFlag(stamp[3])
const isFlag = (part: unknown): boolean => part === 0 || part === 1

/**
 * Every register there is, by the part of its name before the first dot. A register with a dot is one of a family, a
 * register each: `x.theme`, `unreadMark.k3f9a2x1`.
 */
const REGISTERS: Readonly<Record<string, StampCheck>> = {
  // Of a channel.
  head: seqAndVersion,
  read: seq,
  own: seq,
  join: seq,
  browseTo: seq,
  'quiet.': (stamp, from) =>
    seq(stamp, '') && /^\d{1,16}$/.test(from) && Number(from) <= (stamp[0] as number),
  'mention.': (stamp, of) => seq(stamp, '') && /^\d{1,16}$/.test(of),
  provided: ([lastSeq, version, unread, ...rest]) =>
    rest.length === 0 &&
    isCount(lastSeq) &&
    isVersion(version) &&
    Number.isSafeInteger(unread) &&
    (unread as number) <= 0,
  'unreadMark.': hlcAndFlag,
  'deleted.': hlcAndFlag,
  'archived.': hlcAndFlag,
  pin: hlc,
  mute: hlc,
  created: hlc,
  keep: hlc,
  'x.': hlc,
  // What a provider and the user's devices last agreed on.
  'agreed.': hlc,
  'reminder.': (stamp) => stamp.length === 2 && isFlag(stamp[0]) && isVersion(stamp[1]),
  // Of a draft.
  edited: hlc,
  left: hlc,
  reply: hlc,
  'mentioned.': hlc,
  'attachment.': hlc,
  'send.': (stamp) => stamp.length === 1 && (stamp[0] === 0 || stamp[0] === 1 || stamp[0] === 2),
  'clear.': hlc,
  // Of a send that is not known here, or was not when its message arrived.
  'acknowledged.': (stamp) => stamp.length === 1 && stamp[0] === 0,
  imported: (stamp) => stamp.length === 1 && stamp[0] === 0,
  // Of the document.
  'cursor.': (stamp) => stamp.length === 1 && isVersion(stamp[0]),
}

/** Splits `unreadMark.k3f9a2x1` into the family `unreadMark.` and the member; a register without a dot has no member. */
export function splitRegister(register: string): [family: string, member: string] {
  const dot = register.indexOf('.')
  return dot < 0 ? [register, ''] : [register.slice(0, dot + 1), register.slice(dot + 1)]
}

/** True if the register is one this version knows and the stamp is one it takes. */
export function isValidEntry(register: string, stamp: Stamp): boolean {
  const [family, member] = splitRegister(register)
  return Object.hasOwn(REGISTERS, family) && (REGISTERS[family] as StampCheck)(stamp, member)
}

/** True for registers whose stamps begin with a time; clocks move past those. */
export function isTimed(stamp: Stamp): boolean {
  return stamp.length >= 3 && startsWithHlc(stamp)
}
