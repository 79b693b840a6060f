import { useSyncExternalStore } from 'react'
import { IconButton } from '../ui/IconButton.js'
import './toast.css'
import type { Toasts } from './toasts.js'

/**
 * Shows toasts above the place where it stands, so that they cover nothing below it. They never take the focus from a text
 * field that is being typed in.
 */
export function ToastList({ toasts }: { readonly toasts: Toasts }) {
  const shown = useSyncExternalStore(toasts.subscribe, toasts.getSnapshot)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hovering only gives more time
    <div
      className="toasts"
      onPointerEnter={toasts.pause}
      onPointerLeave={toasts.resume}
      onFocus={toasts.pause}
      onBlur={toasts.resume}
      // A click leaves the focus where it is: the button is about to go, and would take the focus with it.
      onMouseDown={(event) => event.preventDefault()}
    >
      <div className="toasts__column" data-testid="toasts">
        {shown.map(({ id, text, action }) => (
          <div key={id} className="toast" data-testid="toast">
            <span className="toast__text">{text}</span>
            {action && (
              <button type="button" className="toast__action" onClick={() => toasts.act(id)}>
                {action.label}
              </button>
            )}
            <IconButton icon="close" label="Close message" onClick={() => toasts.dismiss(id)} />
          </div>
        ))}
      </div>
    </div>
  )
}

/** Reads toasts out. It stays while the list of them moves: a screen reader announces only what changes in a known place. */
export function ToastAnnouncer({ toasts }: { readonly toasts: Toasts }) {
  const shown = useSyncExternalStore(toasts.subscribe, toasts.getSnapshot)
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}
