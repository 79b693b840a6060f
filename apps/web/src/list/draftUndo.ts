import type { Draft, DraftText, RecoveredDraft } from '@parley/core'

/**
 * Brings back a draft that was discarded or dismissed, with its reply, mentions and attachments. If another text is in the
 * composer by now, that text stays, and what comes back is offered beside it.
 */
export function bringBackDraft(draft: Draft, removed: DraftText | RecoveredDraft): void {
  const { text, device, editedAt } = removed
  if (draft.getSnapshot().composer) {
    draft.import({ draftId: `undo-${randomName()}`, text, device, editedAt })
    return
  }
  draft.set(text)
  if ('reply' in removed) {
    if (removed.reply !== null) draft.setReply(removed.reply)
    for (const [uid, mention] of Object.entries(removed.mentions)) draft.setMention(uid, mention)
    for (const [id, attachment] of Object.entries(removed.attachments)) draft.setAttachment(id, attachment)
  }
  draft.leave()
}

/** `crypto.randomUUID` exists only on pages from `https:` and loopback addresses. */
function randomName(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
}
