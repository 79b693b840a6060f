import { useEffect, useRef, useState } from 'react'
import { leaveSession } from '../session/currentSession.js'
import { describeLoss } from '../session/describeLoss.js'
import type { Session } from '../session/session.js'
import { Dialog } from './Dialog.js'

/** The properties of a {@link LeaveDialog}. */
export interface LeaveDialogProps {
  readonly session: Session
  /** True if the local data is to be deleted. */
  readonly deletes: boolean
  readonly onClose: () => void
}

/** The outbox has no events; messages are on their way for about half a second. */
const LOOK_MS = 250

/**
 * Asks before the user leaves. While changes are on their way to the server it waits for them; where they cannot get there it
 * says what would be lost. Leaving without deleting is asked about only if something would be lost.
 */
export function LeaveDialog({ session, deletes, onClose }: LeaveDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [loss, setLoss] = useState(() => describeLoss(session, deletes))
  const isSafe = loss.state === 'nothing'
  useEffect(() => {
    const look = (): void => setLoss(describeLoss(session, deletes))
    const timer = setInterval(look, LOOK_MS)
    const stop = session.client.status.subscribe(look)
    return () => {
      clearInterval(timer)
      stop()
    }
  }, [session, deletes])
  const leave = (): void => {
    onClose()
    void leaveSession(deletes)
  }

  const title = deletes ? 'Leave and delete local data?' : 'Leave?'
  return (
    <Dialog dialogRef={dialog} labelledBy="leave" onClose={onClose}>
      <h2 id="leave">{title}</h2>
      <p className="dialog__text">
        {deletes
          ? `Everything that this app keeps in this browser for ${session.client.store.userId} is deleted, in all tabs: conversations, drafts, settings, and the messages of this demonstration, which exist in this browser only. What the server has stays there.`
          : `What this browser keeps for ${session.client.store.userId} stays in it, and is there again when you begin under the same name.`}
      </p>
      <div role="status">
        {loss.state === 'waiting' && (
          <p className="dialog__text">Waiting for the server. Not there yet: {loss.details.join(' ')}</p>
        )}
        {loss.state === 'lost' && (
          <>
            <p className="dialog__error">This would be lost:</p>
            <ul>
              {loss.details.map((detail) => (
                <li key={detail}>{detail}</li>
              ))}
            </ul>
          </>
        )}
        {isSafe && deletes && <p className="dialog__text">The server has all changes of this device.</p>}
      </div>
      <p className="dialog__buttons">
        {/* biome-ignore lint/a11y/noAutofocus: the harmless one, for a key that was meant for something else */}
        <button type="button" className="button" autoFocus onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        {!isSafe && (
          <button type="button" className="button" onClick={leave}>
            {deletes ? 'Delete anyway' : 'Leave anyway'}
          </button>
        )}
        <button
          type="button"
          className={deletes ? 'button button--danger' : 'button button--primary'}
          disabled={!isSafe}
          onClick={leave}
        >
          {loss.state === 'waiting' ? 'Waiting …' : deletes ? 'Leave and delete' : 'Leave'}
        </button>
      </p>
    </Dialog>
  )
}
