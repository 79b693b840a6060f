import { asObject } from '../conversation/facts.js'
import type { Registers, Winner } from '../document/registerTable.js'
import type { Json } from '../json/json.js'
import { parseValue } from '../lattice/entry.js'
import { isTimed, splitRegister } from '../lattice/registers.js'
import { compareText, type Stamp } from '../lattice/stamp.js'
import { type Coverage, decodeCoverage } from './coverage.js'

/** How far a submission got: the first place of the stamp of its register. */
export const SEND_STATES = { sent: 0, failed: 1, acknowledged: 2 } as const

/** One act of sending, as its register tells it. */
export interface Send {
  /** The part of the register's name after the dot. */
  readonly member: string
  readonly state: 0 | 1 | 2
  readonly at: Stamp
  readonly covers: Coverage
  /** What was submitted; gone once it is acknowledged. */
  readonly text: string
}

/** One act of clearing. */
export interface Clear {
  readonly at: Stamp
  readonly covers: Coverage
}

/** The registers of one draft, read. */
export interface DraftFacts {
  readonly edited: Winner | undefined
  readonly left: Winner | undefined
  readonly reply: Json
  readonly mentions: Readonly<Record<string, Json>>
  readonly attachments: Readonly<Record<string, Json>>
  readonly sends: readonly Send[]
  readonly clears: readonly Clear[]
  /** The text it was imported with, `null` for one that was begun here. */
  readonly imported: string | null
}

const NO_TIME: Stamp = [0, 0, '']

/** Reads the registers of a draft. */
export function readDraftFacts(registers: Registers): DraftFacts {
  const mentions: Array<[string, Json]> = []
  const attachments: Array<[string, Json]> = []
  const sends: Send[] = []
  const clears: Clear[] = []
  for (const winner of registers) {
    const [family, member] = splitRegister(winner.register)
    if (family === 'send.') sends.push(readSend(member, winner))
    else if (family === 'clear.') clears.push(readClear(winner))
    else if (family === 'mentioned.') mentions.push([member, readJson(winner)])
    else if (family === 'attachment.') attachments.push([member, readJson(winner)])
  }
  const reply = registers.get('reply')
  const imported = registers.get('imported')
  return {
    edited: registers.get('edited'),
    left: registers.get('left'),
    reply: reply ? readJson(reply) : null,
    mentions: byName(mentions),
    attachments: byName(attachments),
    sends,
    clears,
    imported: imported ? readText(imported) : null,
  }
}

/** The acts that finish a draft: a send that has not failed, a clear. */
export function finishingActs({ sends, clears }: DraftFacts): ReadonlyArray<Clear | Send> {
  return [...sends.filter(({ state }) => state !== SEND_STATES.failed), ...clears]
}

function readSend(member: string, { stamp, value }: Winner): Send {
  const { at, covers, text } = asObject(parseValue(value))
  return {
    member,
    state: stamp[0] as Send['state'],
    at: Array.isArray(at) && isTimed(at as Stamp) ? (at as Stamp) : NO_TIME,
    covers: decodeCoverage(covers),
    text: typeof text === 'string' ? text : '',
  }
}

function readClear({ stamp, value }: Winner): Clear {
  return { at: stamp, covers: decodeCoverage(asObject(parseValue(value)).covers) }
}

/** Those that are set, in an order that does not depend on how they arrived. */
function byName(members: ReadonlyArray<[string, Json]>): Readonly<Record<string, Json>> {
  const set = members.filter(([, value]) => value !== null)
  // Not by assignment: a user may be called `__proto__`.
  return Object.fromEntries(set.sort(([a], [b]) => compareText(a, b)))
}

function readText({ value }: Winner): string | null {
  const text = parseValue(value)
  return typeof text === 'string' ? text : null
}

function readJson({ value }: Winner): Json {
  return (parseValue(value) ?? null) as Json
}
