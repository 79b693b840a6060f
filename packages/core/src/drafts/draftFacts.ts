import { asObject } from '../conversation/facts.js'
import { canonicalText } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import { type Entry, parseValue } from '../lattice/entry.js'
import { isTimed, splitRegister } from '../lattice/registers.js'
import { compareStamps, compareText, type Stamp } from '../lattice/stamp.js'
import type { DraftExtras } from './content.js'
import { type Coverage, decodeCoverage, encodeCoverage } from './coverage.js'

/** How far a submission got: the first place of the stamp of its register. */
export const SEND_STATES = { sent: 0, failed: 1, acknowledged: 2 } as const

/** A reply, a mention or an attachment: its register, when it was last changed, and what it is. */
export interface DraftMember {
  readonly register: string
  readonly stamp: Stamp
  /** `null` if it was taken off. */
  readonly value: Json
}

/** A member as an act of sending or clearing found it. */
export interface NotedMember {
  readonly stamp: Stamp
  /** What was sent, while that may still fail: the register may have another value by then. */
  readonly value?: Json
}

/** What an act of sending or clearing was about. */
export interface Act {
  readonly at: Stamp
  readonly covers: Coverage
  /** The members that were sent or cleared, by their registers; a later change is not among them. */
  readonly members: ReadonlyMap<string, NotedMember>
}

/** One act of sending, as its register tells it. */
export interface Send extends Act {
  /** The part of the register's name after the dot. */
  readonly member: string
  readonly state: 0 | 1 | 2
}

/** The registers of one draft, read. */
export interface DraftFacts {
  /** When it was last edited, and on which device. */
  readonly edited: { readonly stamp: Stamp; readonly device: string } | null
  /** When the composer was last left with it. */
  readonly leftAt: Stamp | null
  readonly members: readonly DraftMember[]
  readonly sends: readonly Send[]
  readonly clears: readonly Act[]
  /** Stands for the text it was imported with; `null` for one that was begun here. */
  readonly imported: string | null
}

const NO_TIME: Stamp = [0, 0]
const NO_MEMBERS: Act['members'] = new Map()
const MEMBER_FAMILIES: ReadonlySet<string> = new Set(['reply', 'mentioned.', 'attachment.'])

/** Reads the registers of a draft. */
export function readDraftFacts(registers: Iterable<Pick<Entry, 'register' | 'stamp' | 'value'>>): DraftFacts {
  let edited: DraftFacts['edited'] = null
  let leftAt: Stamp | null = null
  let imported: string | null = null
  const members: DraftMember[] = []
  const sends: Send[] = []
  const clears: Act[] = []
  const acknowledged = new Set<string>()
  for (const { register, stamp, value } of registers) {
    const [family, member] = splitRegister(register)
    if (family === 'edited' || family === 'left') {
      if (family === 'left') leftAt = stamp
      if (!edited || compareStamps(stamp, edited.stamp) > 0) edited = { stamp, device: readText(value) ?? '' }
    } else if (family === 'send.') sends.push(readSend(member, stamp, value))
    else if (family === 'clear.') clears.push(readAct(stamp, parseValue(value)))
    else if (family === 'acknowledged.') acknowledged.add(member)
    else if (family === 'imported') imported = readText(value)
    else if (MEMBER_FAMILIES.has(family)) {
      members.push({ register, stamp, value: (parseValue(value) ?? null) as Json })
    }
  }
  return {
    edited,
    leftAt,
    // In an order that does not depend on how they arrived.
    members: members.sort((a, b) => compareText(a.register, b.register)),
    sends: sends.map((send) =>
      acknowledged.has(send.member) ? { ...send, state: SEND_STATES.acknowledged } : send,
    ),
    clears,
    imported,
  }
}

/** The acts that finish a draft: a send that has not failed, a clear. */
export function finishingActs({ sends, clears }: DraftFacts): ReadonlyArray<Act | Send> {
  return [...sends.filter(({ state }) => state !== SEND_STATES.failed), ...clears]
}

/** The sends that are neither acknowledged nor failed. */
export function pendingSends({ sends }: DraftFacts): readonly Send[] {
  return sends.filter(({ state }) => state === SEND_STATES.sent)
}

/** True for what `setAside` writes: the draft is finished, and nothing of it is sent or cleared. */
export function isSettingAside(act: Act | Send): boolean {
  return !('member' in act) && act.covers.size === 0 && act.members.size === 0
}

/** The members that none of the acts was about, as they are now; of one document instance only, if one is given. */
export function uncoveredMembers(
  { members }: DraftFacts,
  acts: readonly Act[],
  onlyInstance?: string,
): DraftMember[] {
  return members.filter(
    ({ register, stamp, value }) =>
      value !== null &&
      (onlyInstance === undefined || stamp[2] === onlyInstance) &&
      acts.every(({ members: noted }) => {
        const seen = noted.get(register)
        return !seen || compareStamps(seen.stamp, stamp) < 0
      }),
  )
}

/** The members that a send was about, as they were sent. */
export function sentMembers({ members }: Act): DraftMember[] {
  return [...members].map(([register, { stamp, value = null }]) => ({ register, stamp, value }))
}

/** Arranges members as an app sees them. */
export function readExtras(members: readonly DraftMember[]): DraftExtras {
  let reply: Json = null
  const mentions: Array<[string, Json]> = []
  const attachments: Array<[string, Json]> = []
  for (const { register, value } of members) {
    if (value === null) continue
    const [family, name] = splitRegister(register)
    if (family === 'reply') reply = value
    else if (family === 'mentioned.') mentions.push([name, value])
    else attachments.push([name, value])
  }
  // Not by assignment: a user may be called `__proto__`.
  return { reply, mentions: Object.fromEntries(mentions), attachments: Object.fromEntries(attachments) }
}

/**
 * What is stored of an act besides its time: what it covers, and the members it was about if there are any.
 *
 * @param how `values` keeps the values of the members as well
 */
export function encodeAct(covers: Coverage, members: readonly DraftMember[], how?: 'values'): unknown[] {
  if (members.length === 0) return [encodeCoverage(covers)]
  const noted = members.map(({ register, stamp, value }) => [
    register,
    how === 'values' ? [...stamp, value] : stamp,
  ])
  return [encodeCoverage(covers), Object.fromEntries(noted)]
}

function readSend(member: string, stamp: Stamp, value: string): Send {
  const parts = parseValue(value)
  const [ms, counter, ...rest] = Array.isArray(parts) ? parts : []
  const at = isTimed([ms, counter, '-']) ? [ms, counter] : NO_TIME
  return { ...readAct(at, rest), member, state: stamp[0] as Send['state'] }
}

function readAct(at: Stamp, value: unknown): Act {
  const [covers, members] = Array.isArray(value) ? value : []
  const noted = Object.entries(asObject(members)).flatMap(
    ([register, parts]): Array<[string, NotedMember]> => {
      if (!Array.isArray(parts)) return []
      const stamp: Stamp = parts.slice(0, 3)
      if (!isTimed(stamp)) return []
      return [[register, parts.length > 3 ? { stamp, value: parts[3] } : { stamp }]]
    },
  )
  return { at, covers: decodeCoverage(covers), members: noted.length > 0 ? new Map(noted) : NO_MEMBERS }
}

/** The value of a send without the values of its members, for when it cannot fail any more. */
export function withoutValues(value: string): string {
  const parts = parseValue(value)
  if (!Array.isArray(parts) || parts.length < 4) return value
  const [ms, counter, covers, members] = parts
  const stamps = Object.entries(asObject(members)).map(([register, noted]) => [
    register,
    Array.isArray(noted) ? noted.slice(0, 3) : noted,
  ])
  return canonicalText([ms, counter, covers, Object.fromEntries(stamps)], 'send')
}

function readText(value: string): string | null {
  const text = parseValue(value)
  return typeof text === 'string' ? text : null
}
