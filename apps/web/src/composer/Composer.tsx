import { type Channel, MAX_DRAFT_LENGTH, type ParleyError } from '@parley/core'
import { useDraft, useDraftInput } from '@parley/react'
import { type KeyboardEvent, type RefObject, useCallback, useLayoutEffect, useState } from 'react'
import { readQuote } from '../demo/chat/chatMessage.js'
import { displayName } from '../list/displayName.js'
import { useMessenger } from '../messenger/messengerContext.js'
import { IconButton } from '../ui/IconButton.js'
import { Icon } from '../ui/icons.js'
import './composer.css'
import { OtherDrafts } from './OtherDrafts.js'

/** The properties of a {@link Composer}. */
export interface ComposerProps {
  readonly channel: Channel
  /** Is given the field, for those who bring the focus there. */
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>
}

/** Where a message is written: a draft that is live on all devices, and the other drafts beside it. */
export function Composer({ channel, fieldRef }: ComposerProps) {
  const { session, select } = useMessenger()
  const { composer, others, recovered, send, setReply, choose, restore, dismiss } = useDraft(channel)
  const [rejection, setRejection] = useState<ParleyError | null>(null)
  const { ref: bind } = useDraftInput(channel, { onReject: setRejection })
  const field = useCallback(
    (element: HTMLTextAreaElement | null) => {
      fieldRef.current = element
      bind(element)
    },
    [fieldRef, bind],
  )
  const reply = readQuote(composer?.reply)
  const isEmpty = !composer || composer.text.trim() === ''

  const text = composer?.text ?? ''
  useLayoutEffect(() => {
    if (fieldRef.current) growField(fieldRef.current, text)
  }, [fieldRef, text])

  const submit = (): void => {
    // The draft lacks what was typed since.
    if (rejection) return
    const submission = send()
    if (submission) session.chat.submit(channel, submission)
    fieldRef.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    // An input method uses Enter for itself; 229 is how Safari says so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      submit()
    } else if (event.key === 'Escape') {
      if (reply) setReply(null)
      else select(null)
    }
  }

  return (
    <div className="composer">
      <OtherDrafts
        drafts={others}
        recovered={recovered}
        onUse={(draftId) => {
          choose(draftId)
          fieldRef.current?.focus()
        }}
        onRestore={(draftId) => {
          restore(draftId)
          fieldRef.current?.focus()
        }}
        onDismiss={dismiss}
      />
      {composer?.sendFailed && (
        <div className="composer__failed" role="alert">
          <Icon name="warning" size={18} />
          <span>This message was not sent.</span>
          <button type="button" className="button button--small" onClick={submit}>
            Try again
          </button>
        </div>
      )}
      {rejection && (
        <div className="composer__failed" role="alert">
          <Icon name="warning" size={18} />
          <span>
            This text is too long and is not saved. A message has at most {MAX_DRAFT_LENGTH.toLocaleString()}{' '}
            characters.
          </span>
        </div>
      )}
      {reply && (
        <div className="composer__reply">
          <blockquote className="quote">
            <cite>Reply to {reply.fromUid}</cite>
            <p>{reply.content}</p>
          </blockquote>
          <IconButton icon="close" label="Do not reply to this message" onClick={() => setReply(null)} />
        </div>
      )}
      <div className="composer__row">
        <textarea
          ref={field}
          aria-invalid={rejection !== null}
          rows={1}
          className="composer__field"
          aria-label={`Message to ${displayName(channel)}`}
          placeholder="Message"
          enterKeyHint="send"
          onKeyDown={onKeyDown}
        />
        <IconButton
          icon="send"
          label="Send"
          accent
          disabled={isEmpty || rejection !== null}
          // Keeps the focus in the field, and the keyboard of a phone open.
          onPointerDown={(event) => event.preventDefault()}
          onClick={submit}
        />
      </div>
    </div>
  )
}

/** Makes the field as high as its text, where the style sheet's `field-sizing` is not known. */
function growField(field: HTMLTextAreaElement, text: string): void {
  if (CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  if (text !== '') field.style.height = `${field.scrollHeight}px`
}
