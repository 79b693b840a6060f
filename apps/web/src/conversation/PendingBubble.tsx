import type { Channel, PendingSend } from '@parley/core'
import { useSyncExternalStore } from 'react'
import { useMessenger } from '../messenger/messengerContext.js'
import { Icon } from '../ui/icons.js'

/** The properties of a {@link PendingBubble}. */
export interface PendingBubbleProps {
  readonly channel: Channel
  readonly pending: PendingSend
}

/** A message on its way: what it waits for, and how to get it back. */
export function PendingBubble({ channel, pending }: PendingBubbleProps) {
  const { session } = useMessenger()
  const reachable = useSyncExternalStore(session.online.subscribe, session.online.getSnapshot)
  return (
    <article className="bubble bubble--own bubble--first bubble--last bubble--pending" data-testid="pending">
      <div className="bubble__body">
        <p className="bubble__text">{pending.text}</p>
        <p className="bubble__pending">
          <Icon name="clock" size={14} />
          {reachable ? 'Sending …' : 'Waiting for the network'}
          {!reachable && (
            <button type="button" onClick={() => session.chat.cancel(channel, pending.submissionId)}>
              Edit instead
            </button>
          )}
        </p>
      </div>
    </article>
  )
}
