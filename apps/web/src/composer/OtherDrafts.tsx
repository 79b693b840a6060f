import type { DraftText, RecoveredDraft } from '@parley/core'
import { useState } from 'react'
import { oneLine } from '../list/digest.js'
import { useMessenger } from '../messenger/messengerContext.js'
import { formatAgo } from '../time/formatTime.js'
import { useNow } from '../time/useNow.js'

/** The properties of {@link OtherDrafts}. */
export interface OtherDraftsProps {
  readonly drafts: readonly DraftText[]
  readonly recovered: readonly RecoveredDraft[]
  readonly onUse: (draftId: string) => void
  readonly onRestore: (draftId: string) => void
  readonly onDismiss: (draftId: string) => void
}

/** Drafts that wait beside the composer: those of other devices, and what was typed into one that had been sent. */
export function OtherDrafts({ drafts, recovered, onUse, onRestore, onDismiss }: OtherDraftsProps) {
  const { toasts } = useMessenger()
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set())
  const now = useNow()

  const dismiss = (draftId: string): void => {
    // Text that somebody wrote goes only when there was time to think again.
    setDismissed((known) => new Set(known).add(draftId))
    const bringBack = (): void =>
      setDismissed((known) => new Set([...known].filter((other) => other !== draftId)))
    toasts.show('Draft dismissed', bringBack, () => {
      bringBack()
      onDismiss(draftId)
    })
  }
  const offers = [
    ...drafts.map((draft) => ({ ...draft, title: 'Another draft', verb: 'Use', use: onUse })),
    ...recovered.map((draft) => ({ ...draft, title: 'Not sent', verb: 'Restore', use: onRestore })),
  ].filter(({ draftId }) => !dismissed.has(draftId))
  if (offers.length === 0) return null

  return (
    <ul className="other-drafts" aria-label="Other drafts">
      {offers.map(({ draftId, title, verb, use, text, device, editedAt }) => (
        <li key={draftId} className="other-draft">
          <div className="other-draft__text">
            <p className="other-draft__title">
              {device ? `${title}, from ${device}` : title} <span>· {formatAgo(editedAt, now)}</span>
            </p>
            <p className="other-draft__preview">{oneLine(text) || 'An attachment'}</p>
          </div>
          <button type="button" className="button button--small" onClick={() => use(draftId)}>
            {verb}
          </button>
          <button
            type="button"
            className="button button--small button--quiet"
            onClick={() => dismiss(draftId)}
          >
            Dismiss
          </button>
        </li>
      ))}
    </ul>
  )
}
