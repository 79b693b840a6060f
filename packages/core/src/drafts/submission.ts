import type { StoreCore } from '../store/core.js'
import type { Writer } from '../store/writer.js'
import { SEND_STATES, withoutValues } from './draftFacts.js'
import { draftSubject } from './episode.js'

/** A submission taken apart: the draft and the register that tells how far it got. */
export interface SubmissionRef {
  readonly draftId: string
  readonly member: string
}

/** Notes that a submission reached the server. Returns false if it is not known. */
export function acknowledgeSend(core: StoreCore, writer: Writer, ref: SubmissionRef): boolean {
  return settleSend(core, writer, ref, SEND_STATES.acknowledged)
}

/**
 * Notes that a message with this submission as its name is on the server. Where the submission is not known, because the
 * message came before it, the note waits for it in a register of its own.
 */
export function acknowledgeMessage(core: StoreCore, writer: Writer, ref: SubmissionRef): void {
  if (acknowledgeSend(core, writer, ref)) return
  writer.put(draftSubject(ref.draftId), `acknowledged.${ref.member}`, [0])
}

/** Notes that a submission failed; its content comes back into the draft. Returns false if it is not known. */
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
  // What was sent is in the message then.
  const value = state === SEND_STATES.acknowledged ? withoutValues(current.value) : current.value
  writer.putText(subject, register, [state], value)
  return true
}
