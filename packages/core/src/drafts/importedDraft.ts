import { checkId } from '../conversation/channel.js'
import { invalidArgument } from '../errors.js'
import { canonicalJson, canonicalText } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import type { DeltaInsert, DraftBody, DraftContent } from './content.js'
import type { DraftMember } from './draftFacts.js'
import { checkDraftLength, wellFormed } from './textEdit.js'

/** A draft from elsewhere, see `Draft.import`. */
export interface ImportedDraft extends Partial<Omit<DraftContent, 'text'>> {
  /** Derived from where it comes from, so that every device derives the same: 1 to 200 characters. */
  readonly draftId: string
  /** The characters; those of `delta` count where that is given. */
  readonly text: string
  /** When it was edited, in milliseconds since 1970; now if that is not known. */
  readonly editedAt?: number
  /** Who has it, as in "another draft, from Phone". */
  readonly device?: string
}

/** An imported draft whose members were checked. */
export interface CheckedImport {
  readonly draftId: string
  readonly device: string
  readonly editedAt: number | undefined
  readonly body: DraftBody
  readonly members: readonly DraftMember[]
}

/**
 * Checks a draft from elsewhere.
 *
 * @throws ParleyError with code `invalid-argument` that names the member, or `draft-too-long`
 */
export function checkImported(draft: ImportedDraft): CheckedImport {
  const {
    draftId,
    text,
    delta = null,
    reply = null,
    mentions = {},
    attachments = {},
    device = '',
    editedAt,
  } = draft
  checkId(draftId, 'draftId')
  if (typeof text !== 'string') invalidArgument('text', 'a string')
  const body = delta === null ? { text: wellFormed(text), delta } : checkDelta(delta)
  const length = body.delta?.reduce(
    (sum, { insert }) => sum + (typeof insert === 'string' ? insert.length : 1),
    0,
  )
  checkDraftLength(length ?? body.text.length)
  const members: DraftMember[] = []
  const add = (register: string, value: Json, field: string): void => {
    if (value === null) return
    canonicalJson(value, field)
    members.push({ register, stamp: [], value })
  }
  add('reply', reply, 'reply')
  for (const [uid, mention] of Object.entries(mentions)) {
    checkId(uid, 'mentions')
    add(`mentioned.${uid}`, mention, `mentions.${uid}`)
  }
  for (const [id, attachment] of Object.entries(attachments)) {
    checkId(id, 'attachments')
    add(`attachment.${id}`, attachment, `attachments.${id}`)
  }
  return { draftId, device, editedAt, body, members }
}

function checkDelta(delta: readonly DeltaInsert[]): DraftBody {
  if (!Array.isArray(delta)) invalidArgument('delta', 'a list of inserts, or null')
  const checked = delta.map(({ insert, attributes }: DeltaInsert, index): DeltaInsert => {
    const field = `delta[${index}]`
    const isEmbed = insert !== null && typeof insert === 'object' && !Array.isArray(insert)
    if (typeof insert !== 'string' && !isEmbed) invalidArgument(`${field}.insert`, 'text or an object')
    canonicalText([insert, attributes ?? null], field)
    const part = typeof insert === 'string' ? wellFormed(insert) : insert
    return attributes ? { insert: part, attributes } : { insert: part }
  })
  const text = checked.map(({ insert }) => (typeof insert === 'string' ? insert : '')).join('')
  return { text, delta: checked }
}
