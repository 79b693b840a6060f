import { channelKey, type Store, type Version } from '@parley/core'
import * as buffer from 'lib0/buffer'
import * as sha256 from 'lib0/hash/sha256'
import * as string from 'lib0/string'
import { versionDigits } from '../json/fields.js'
import type { ConversationExtra } from '../wire/extra.js'
import {
  currentState,
  type ExtraAgreement,
  type ExtraState,
  isChanged,
  readAgreement,
  writeAgreement,
} from './agreement.js'

/**
 * Takes in an extra from a provider. It never takes away what was typed here: a draft edited since the last agreement stays
 * in the composer, and the provider's is put beside it, once, however many of the user's devices take it in.
 *
 * @returns false if it was taken in before
 */
export function takeExtra(store: Store, provider: string, extra: ConversationExtra): boolean {
  const handle = store.conversation(extra.channel)
  const agreed = readAgreement(handle, provider)
  if (!isNewer(extra.version, agreed.version)) return false
  const { hidden: wasHidden, lastMessage } = handle.getSnapshot()
  const theirs: ExtraState = {
    draft: extra.draft,
    keepMessageSeq: extra.keepMessageSeq,
    keepOffsetY: extra.keepOffsetY,
    browseTo: extra.browseTo,
  }
  const before = currentState(handle)
  const isTyped = isChanged('draft', agreed.theirs, agreed.mine, before)
  const isScrolled =
    isChanged('keepMessageSeq', agreed.theirs, agreed.mine, before) ||
    isChanged('keepOffsetY', agreed.theirs, agreed.mine, before)
  let { draftId } = agreed
  store.transact(() => {
    if (extra.browseTo > before.browseTo) handle.browseTo(extra.browseTo)
    const isMoved =
      extra.keepMessageSeq !== agreed.theirs.keepMessageSeq || extra.keepOffsetY !== agreed.theirs.keepOffsetY
    if (isMoved && !isScrolled) {
      handle.keepPosition(
        extra.keepMessageSeq === 0 && extra.keepOffsetY === 0
          ? null
          : { messageSeq: extra.keepMessageSeq, offsetY: extra.keepOffsetY },
      )
    }
  })
  if (extra.draft !== agreed.theirs.draft && extra.draft !== before.draft) {
    const isReplaced = dropUntouched(store, extra, agreed)
    draftId = ''
    if (extra.draft.trim() !== '') {
      draftId = importedDraftId(provider, extra)
      const composer = handle.draft.shared()
      // In the place of one that was in the composer it is there, whenever it was edited.
      const at = isReplaced ? undefined : extra.draftUpdatedAt || undefined
      // What was typed here and is on no server yet keeps its place.
      const editedAt = isTyped && composer ? Math.min(at ?? composer.editedAt, composer.editedAt - 1) : at
      handle.draft.import({ draftId, text: extra.draft, ...(editedAt === undefined ? {} : { editedAt }) })
    }
  }
  // Here a draft brings a deleted conversation back, there it does not: what is listed tells whether it came back.
  if (wasHidden && lastMessage && !handle.getSnapshot().hidden) handle.delete()
  const after = currentState(handle)
  const mine: ExtraState = {
    // Where the provider has none, another draft that is in the composer now is news to it.
    draft: isTyped ? agreed.mine.draft : extra.draft && after.draft,
    keepMessageSeq: isScrolled ? agreed.mine.keepMessageSeq : after.keepMessageSeq,
    keepOffsetY: isScrolled ? agreed.mine.keepOffsetY : after.keepOffsetY,
    browseTo: agreed.mine.browseTo,
  }
  writeAgreement(handle, provider, { version: extra.version, theirs, mine, draftId })
  return true
}

/**
 * Takes back a draft that nobody has touched since the provider had it. One that came from there is the provider's to change.
 * One that was typed here goes where all of it is in what the provider has now, and is offered as recovered where the provider
 * has none any more: sent from another device, mostly, but some servers forget drafts.
 *
 * @returns true if it was in the composer
 */
function dropUntouched(
  store: Store,
  extra: ConversationExtra,
  { theirs, mine, draftId }: ExtraAgreement,
): boolean {
  const { draft } = store.conversation(extra.channel)
  const { composer, others } = draft.getSnapshot()
  const shared = draft.shared()?.draftId
  const sent = mine.draft === theirs.draft ? shared : undefined
  let isReplaced = false
  for (const known of composer ? [composer, ...others] : others) {
    if (known.text !== theirs.draft) continue
    // The copies of another device have the name with more after it.
    const isImported = draftId !== '' && `${known.draftId}~`.startsWith(`${draftId}~`)
    const isTaken = known.draftId === sent && extra.draft.includes(known.text)
    const isGone = known.draftId === sent && extra.draft === ''
    if (isImported || isTaken) draft.dismiss(known.draftId)
    else if (isGone) draft.setAside(known.draftId)
    else continue
    if (known.draftId === shared) isReplaced = true
  }
  return isReplaced
}

/** The name that every device gives a provider's draft. */
function importedDraftId(provider: string, { channel, version }: ConversationExtra): string {
  const source = JSON.stringify([provider, channelKey(channel), versionDigits(version)])
  return `import-${buffer.toBase64UrlEncoded(sha256.digest(string.encodeUtf8(source))).slice(0, 22)}`
}

/** The order of versions, which are numbers or, beyond 2^53, digits. */
export function isNewer(a: Version, b: Version): boolean {
  return BigInt(a) > BigInt(b)
}
