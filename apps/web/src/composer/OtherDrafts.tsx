import type { DraftText, RecoveredDraft } from '@parley/core'
import { oneLine } from '../list/digest.js'
import { formatAgo } from '../time/formatTime.js'
import { useNow } from '../time/useNow.js'

/** The properties of {@link OtherDrafts}. */
export interface OtherDraftsProps {
  readonly drafts: readonly DraftText[]
  readonly recovered: readonly RecoveredDraft[]
  readonly onUse: (draftId: string) => void
  readonly onRestore: (draftId: string) => void
  readonly onDismiss: (draft: DraftText | RecoveredDraft) => void
}

/** Drafts that wait beside the composer: those of other devices, and what was typed into one that had been sent. */
export function OtherDrafts({ drafts, recovered, onUse, onRestore, onDismiss }: OtherDraftsProps) {
  const now = useNow()
  const offers = [
    ...drafts.map((draft) => ({ draft, title: 'Another draft', verb: 'Use', use: onUse })),
    ...recovered.map((draft) => ({ draft, title: 'Not sent', verb: 'Restore', use: onRestore })),
  ]
  if (offers.length === 0) return null

  return (
    <ul className="other-drafts" aria-label="Other drafts">
      {offers.map(({ draft, title, verb, use }) => (
        <li key={draft.draftId} className="other-draft">
          <div className="other-draft__text">
            <p className="other-draft__title">
              {draft.device ? `${title}, from ${draft.device}` : title}{' '}
              <span>· {formatAgo(draft.editedAt, now)}</span>
            </p>
            <p className="other-draft__preview">{oneLine(draft.text) || 'An attachment'}</p>
          </div>
          <button type="button" className="button button--small" onClick={() => use(draft.draftId)}>
            {verb}
          </button>
          <button
            type="button"
            className="button button--small button--quiet"
            onClick={() => onDismiss(draft)}
          >
            Dismiss
          </button>
        </li>
      ))}
    </ul>
  )
}
