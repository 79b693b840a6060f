import { asObject } from '../conversation/facts.js'
import { canonicalJson } from '../json/canonicalJson.js'
import { parseValue } from '../lattice/entry.js'
import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import { SEND_STATES } from './draftFacts.js'
import { draftSubject } from './episode.js'

/** A submission taken apart: the draft and the register that tells how far it got. */
export interface SubmissionRef {
  readonly draftId: string
  readonly member: string
}

/** Notes that a submission reached the server. Its text is let go: the message has it now. Returns false if unknown. */
export function acknowledgeSend(core: StoreCore, writer: Writer, ref: SubmissionRef): boolean {
  return settleSend(core, writer, ref, SEND_STATES.acknowledged)
}

/** Notes that a submission failed; its text comes back into the draft. Returns false if there is no such submission. */
export function failSend(core: StoreCore, writer: Writer, ref: SubmissionRef): boolean {
  return settleSend(core, writer, ref, SEND_STATES.failed)
}

function settleSend(
  { log }: StoreCore,
  writer: Writer,
  { draftId, member }: SubmissionRef,
  state: 1 | 2,
): boolean {
  const subject = draftSubject(draftId)
  const register = `send.${member}`
  const current = log.index.get(subject, register)
  if (!current) return false
  const { at, covers, text } = asObject(parseValue(current.value))
  const kept = state === SEND_STATES.acknowledged ? undefined : text
  writer.putText(subject, register, [state], encodeSend(at, covers, kept))
  return true
}

/** Writes the value of a sending; its text may be longer than other values. */
export function encodeSend(at: unknown, covers: unknown, text: unknown): string {
  const value = canonicalJson({ at, covers }, 'covers')
  return typeof text === 'string' ? `${value.slice(0, -1)},"text":${JSON.stringify(text)}}` : value
}
