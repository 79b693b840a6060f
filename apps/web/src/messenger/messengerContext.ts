import type { ChannelKey } from '@parley/core'
import { createContext, useContext } from 'react'
import type { Dismissals } from '../composer/dismissals.js'
import type { Session } from '../session/session.js'
import type { Toasts } from '../toast/toasts.js'
import type { ActionLog } from '../undo/actionLog.js'

/** What the parts of a messenger share. */
export interface MessengerState {
  readonly session: Session
  readonly toasts: Toasts
  /** The list actions of this session, to undo them. */
  readonly actions: ActionLog
  /** Texts that were too long for a draft, by conversation. They stay until the user discards them. */
  readonly rejected: Map<ChannelKey, readonly string[]>
  /** Offered drafts that were dismissed, and are deleted after a while. */
  readonly dismissals: Dismissals
  /** The conversation that is open. */
  readonly selected: ChannelKey | null
  /** Opens a conversation, or goes back to the list. */
  readonly select: (key: ChannelKey | null) => void
}

export const MessengerContext = createContext<MessengerState | null>(null)

/** The messenger around a component. */
export function useMessenger(): MessengerState {
  const messenger = useContext(MessengerContext)
  if (!messenger) throw new Error('This component belongs into a <Messenger>')
  return messenger
}
