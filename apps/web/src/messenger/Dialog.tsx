import { type ReactNode, type RefObject, useEffect } from 'react'
import { createPortal } from 'react-dom'
import './dialog.css'

/** The properties of a {@link Dialog}. */
export interface DialogProps {
  /** Is given the element, to close it with. */
  readonly dialogRef: RefObject<HTMLDialogElement | null>
  /** The `id` of its heading. */
  readonly labelledBy: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/**
 * A modal dialog. It is a child of the page itself: where the list is hidden beside an open conversation, a dialog inside of it
 * would be hidden as well, and still keep the page from being used.
 */
export function Dialog({ dialogRef, labelledBy, onClose, children }: DialogProps) {
  useEffect(() => {
    const element = dialogRef.current
    element?.showModal()
    return () => element?.close()
  }, [dialogRef])
  return createPortal(
    <dialog ref={dialogRef} className="dialog" aria-labelledby={labelledBy} tabIndex={-1} onClose={onClose}>
      {children}
    </dialog>,
    document.body,
  )
}
