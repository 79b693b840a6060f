import type { ConversationHandle, Json, Version } from '@parley/core'
import { isFields, readVersion } from '../json/fields.js'

/** The part of an extra that is set as a whole and told apart by its value. */
export interface ExtraState {
  readonly draft: string
  readonly keepMessageSeq: number
  readonly keepOffsetY: number
  readonly browseTo: number
}

/**
 * What a provider last said or was told of an extra, and what was here at that moment: from the two follows whose change a
 * difference is. Kept in the document, so that all of the user's devices know.
 */
export interface ExtraAgreement {
  readonly version: Version
  readonly theirs: ExtraState
  readonly mine: ExtraState
  /** The draft that was taken in from there, if one is. */
  readonly draftId: string
}

const BLANK: ExtraState = { draft: '', keepMessageSeq: 0, keepOffsetY: 0, browseTo: 0 }
const NOTHING: ExtraAgreement = { version: 0, theirs: BLANK, mine: BLANK, draftId: '' }

/** Reads what was agreed on about the extra of a conversation. */
export function readAgreement(handle: ConversationHandle, provider: string): ExtraAgreement {
  const note = handle.agreed(provider)
  if (!isFields(note)) return NOTHING
  return {
    version: readVersion(note.version),
    theirs: { ...BLANK, ...(note.theirs as Partial<ExtraState>) },
    mine: { ...BLANK, ...(note.mine as Partial<ExtraState>) },
    draftId: typeof note.draftId === 'string' ? note.draftId : '',
  }
}

/** Notes what was agreed on. */
export function writeAgreement(
  handle: ConversationHandle,
  provider: string,
  agreement: ExtraAgreement,
): void {
  handle.agree(provider, agreement as unknown as Json)
}

/** What is here now, as the document has it: what this device happens to show would set two devices against each other. */
export function currentState(handle: ConversationHandle): ExtraState {
  const { keptPosition, browseTo } = handle.getSnapshot()
  return {
    draft: handle.draft.shared()?.text ?? '',
    keepMessageSeq: keptPosition?.messageSeq ?? 0,
    keepOffsetY: Math.trunc(keptPosition?.offsetY ?? 0),
    browseTo,
  }
}

/** True if something changed here since the agreement that the provider does not have. */
export function isPending({ theirs, mine }: ExtraAgreement, now: ExtraState): boolean {
  return (
    isChanged('draft', theirs, mine, now) ||
    isChanged('keepMessageSeq', theirs, mine, now) ||
    isChanged('keepOffsetY', theirs, mine, now) ||
    now.browseTo > Math.max(theirs.browseTo, mine.browseTo)
  )
}

/** True if a member was changed here: it differs from what was here and from what they have. */
export function isChanged(
  member: 'draft' | 'keepMessageSeq' | 'keepOffsetY',
  theirs: ExtraState,
  mine: ExtraState,
  now: ExtraState,
): boolean {
  return now[member] !== mine[member] && now[member] !== theirs[member]
}
