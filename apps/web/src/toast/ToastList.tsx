import { useSyncExternalStore } from 'react'
import { IconButton } from '../ui/IconButton.js'
import './toast.css'
import type { Toasts } from './toasts.js'

/** Shows toasts, and reads them out. */
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
    >
      <div role="status" aria-live="polite">
        {shown.map(({ id, text, undo }) => (
          <div key={id} className="toast">
            <span className="toast__text">{text}</span>
            {undo && (
              <button type="button" className="toast__undo" onClick={() => toasts.undo(id)}>
                Undo
              </button>
            )}
            <IconButton icon="close" label="Close message" onClick={() => toasts.dismiss(id)} />
          </div>
        ))}
      </div>
    </div>
  )
}
