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
    dropUntouched(store, extra, agreed)
    draftId = ''
    if (extra.draft.trim() !== '') {
      draftId = importedDraftId(provider, extra)
      const composer = handle.draft.shared()
      const at = extra.draftUpdatedAt || undefined
      // What was typed here and is on no server yet keeps its place.
      const editedAt = isTyped && composer ? Math.min(at ?? composer.editedAt, composer.editedAt - 1) : at
      handle.draft.import({ draftId, text: extra.draft, ...(editedAt === undefined ? {} : { editedAt }) })
    }
  }
  const after = currentState(handle)
  const mine: ExtraState = {
    draft: isTyped ? agreed.mine.draft : after.draft,
    keepMessageSeq: isScrolled ? agreed.mine.keepMessageSeq : after.keepMessageSeq,
    keepOffsetY: isScrolled ? agreed.mine.keepOffsetY : after.keepOffsetY,
    browseTo: agreed.mine.browseTo,
  }
  writeAgreement(handle, provider, { version: extra.version, theirs, mine, draftId })
  return true
}

/** Takes back a draft that came from the provider and that nobody has touched since: it is the provider's to change. */
function dropUntouched(
  store: Store,
  { channel }: ConversationExtra,
  { theirs, draftId }: ExtraAgreement,
): void {
  if (draftId === '') return
  const { draft } = store.conversation(channel)
  const { composer, others } = draft.getSnapshot()
  for (const known of composer ? [composer, ...others] : others) {
    // The copies of another device have the name with more after it.
    const isIt = known.draftId === draftId || known.draftId.startsWith(`${draftId}~`)
    if (isIt && known.text === theirs.draft) draft.dismiss(known.draftId)
  }
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
