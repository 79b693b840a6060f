import { createHash } from 'node:crypto'
import { type Channel, type Conversation, channelKey, MAX_DRAFT_LENGTH, type Store } from '@parley/core'
import { extraOf, selectExtras, type WireExtra, writeExtra } from '@parley/wukong'
import { refuse } from './body.js'
import type { Projection } from './projection.js'

/** What a client says of a conversation when its user leaves it. What it left out is 0 or empty. */
export interface ExtraUpdate {
  readonly browseTo: number
  readonly keepMessageSeq: number
  readonly keepOffsetY: number
  readonly draft: string
}

/** Under this name the document notes which draft such a client has. */
const AGREED_WITH = 'gateway'

/**
 * Takes in an extra as a whole, as TangSengDaoDao's server does: what was looked at only moves forward, everything else is
 * replaced. A draft that the client cannot have seen is not: what it sends then is put beside.
 *
 * @returns the version of the extra, or a smaller one if something before it was not told yet
 */
export async function updateExtra(user: Projection, channel: Channel, update: ExtraUpdate): Promise<number> {
  if (update.draft.length > MAX_DRAFT_LENGTH) refuse('draft', `at most ${MAX_DRAFT_LENGTH} characters`)
  const key = channelKey(channel)
  await user.act((store) => {
    const now = user.conversation(key)
    keepPosition(store, now, update)
    if (update.browseTo > now.browseTo) store.conversation(channel).browseTo(update.browseTo)
    takeDraft(store, channel, update.draft, user.told.draft(key))
  })
  const { draft, browseTo, keepMessageSeq } = extraOf(user.conversation(key))
  const { extraVersion = 0 } = user.index.get(key) ?? {}
  const isAsWritten =
    isSame(update.draft, draft) && browseTo === update.browseTo && keepMessageSeq === update.keepMessageSeq
  if (isAsWritten) {
    user.told.noteDraft(key, draft)
    user.told.noteWritten(key, extraVersion)
  }
  // The iOS SDK goes on from here: what it was not told must lie behind.
  return Math.min(extraVersion || user.index.head, user.told.safeVersion(user.index))
}

function keepPosition(store: Store, now: Conversation, { keepMessageSeq, keepOffsetY }: ExtraUpdate): void {
  const { messageSeq = 0, offsetY = 0 } = now.keptPosition ?? {}
  if (messageSeq === keepMessageSeq && offsetY === keepOffsetY) return
  store
    .conversation(now.channel)
    .keepPosition(keepMessageSeq === 0 ? null : { messageSeq: keepMessageSeq, offsetY: keepOffsetY })
}

/** Takes in the draft of a client that was last told `told`. */
function takeDraft(store: Store, channel: Channel, text: string, told: string | undefined): void {
  const { draft, agree, agreed } = store.conversation(channel)
  const known = agreed(AGREED_WITH)
  const composer = draft.shared()
  const shown = composer?.text ?? ''
  if (isSame(text, shown)) return
  if (shown === '' || shown === told || shown === known) {
    // What was in this composer when a client last left it may be another one.
    if (composer && composer.draftId !== draft.getSnapshot().composer?.draftId) draft.choose(composer.draftId)
    if (text === '') draft.clear()
    else {
      const whole = withUntold(text, shown)
      if (whole.length > MAX_DRAFT_LENGTH)
        refuse('draft', `at most ${MAX_DRAFT_LENGTH} characters with its hidden rest`)
      draft.set(whole)
    }
    // Nobody types here: another draft may take its place.
    draft.leave()
  } else if (text !== '' && !isSame(text, told ?? '') && text !== known) {
    draft.import({ draftId: `${AGREED_WITH}:${digestOf(channel, text)}`, text, device: 'Other app' })
  } else return
  agree(AGREED_WITH, text)
}

/** True if a text is a draft as it is told: an extra has no room for more than its first characters. */
function isSame(text: string, draft: string): boolean {
  return text === draft || text === toldPart(draft)
}

/** An edit of a draft of which a client may have been told the first part: the rest stays. */
function withUntold(text: string, draft: string): string {
  const part = toldPart(draft)
  if (part === draft || text.endsWith(draft.slice(-ENOUGH_TO_KNOW))) return text
  return text + draft.slice(part.length)
}

/** Whoever has so many of the last characters has all of them. */
const ENOUGH_TO_KNOW = 32

function toldPart(draft: string): string {
  return writeExtra({ ...BLANK, draft }).draft
}

const BLANK = {
  channel: { channelId: '-', channelType: 1 },
  browseTo: 0,
  keepMessageSeq: 0,
  keepOffsetY: 0,
  draftUpdatedAt: 0,
  version: 0,
}

function digestOf(channel: Channel, text: string): string {
  return createHash('sha256')
    .update(`${channelKey(channel)}\n${text}`)
    .digest('base64url')
}

/** The extras that changed since a version, in the order of their versions. */
export function extrasSince(user: Projection, version: number): WireExtra[] {
  user.told.noteThrough(user.index.head)
  return selectExtras(user.index, Math.max(0, version)).map(({ key, version: changed }) => {
    const extra = extraOf(user.conversation(key), changed)
    user.told.noteDraft(key, extra.draft)
    return writeExtra(extra)
  })
}
