import { type Channel, channelKey, MAX_DRAFT_LENGTH } from '@parley/core'
import { useDraft, useDraftInput } from '@parley/react'
import {
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { readQuote } from '../demo/chat/chatMessage.js'
import { displayName } from '../list/displayName.js'
import { useMessenger } from '../messenger/messengerContext.js'
import { IconButton } from '../ui/IconButton.js'
import { Icon } from '../ui/icons.js'
import './composer.css'
import { OtherDrafts } from './OtherDrafts.js'
import { RejectedText } from './RejectedText.js'

/** Enter that opened a conversation, held or pressed twice, must not send the draft in it. */
const OPENING_MS = 500

/** The properties of a {@link Composer}. */
export interface ComposerProps {
  readonly channel: Channel
  /** Is given the field, for those who bring the focus there. */
  readonly fieldRef: RefObject<HTMLTextAreaElement | null>
}

/** Where a message is written: a draft that is live on all devices, and the other drafts beside it. */
export function Composer({ channel, fieldRef }: ComposerProps) {
  const { session, select, actions, rejected, dismissals } = useMessenger()
  const dismissed = useSyncExternalStore(dismissals.subscribe, dismissals.getSnapshot)
  const { composer, others, recovered, send, setReply, choose, restore } = useDraft(channel)
  const key = channelKey(channel)
  const [kept, setKept] = useState<readonly string[]>(() => rejected.get(key) ?? [])
  /** The text of the field while it is too long for the draft, which has the text from before. */
  const [tooLong, setTooLong] = useState<string | null>(null)
  const { ref: bind } = useDraftInput(channel, {
    onReject: (error) => setTooLong(error && (fieldRef.current?.value ?? null)),
  })
  useKeepText(tooLong, (text) => rejected.set(key, [...(rejected.get(key) ?? []), text]))
  const openedAt = useRef(Number.POSITIVE_INFINITY)
  useEffect(() => {
    openedAt.current = performance.now()
  }, [])
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
    if (tooLong !== null) return
    const submission = send()
    if (submission) session.chat.submit(channel, submission)
    fieldRef.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    // An input method uses Enter for itself; 229 is how Safari says so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      const isOpening = performance.now() - openedAt.current < OPENING_MS
      if (!event.repeat && !isOpening) submit()
    } else if (event.key === 'Escape') {
      if (reply) setReply(null)
      else select(null)
    }
  }

  return (
    <div className="composer">
      <OtherDrafts
        drafts={others.filter(({ draftId }) => !dismissed.has(draftId))}
        recovered={recovered.filter(({ draftId }) => !dismissed.has(draftId))}
        onUse={(draftId) => {
          choose(draftId)
          fieldRef.current?.focus()
        }}
        onRestore={(draftId) => {
          restore(draftId)
          fieldRef.current?.focus()
        }}
        onDismiss={(draft) => {
          const handle = session.client.store.conversation(channel).draft
          actions.done(`Draft to ${displayName(channel)} dismissed`, dismissals.dismiss(handle, draft))
          fieldRef.current?.focus()
        }}
      />
      <RejectedText
        texts={kept}
        onDiscard={(text) => {
          const left = kept.filter((other) => other !== text)
          rejected.set(key, left)
          setKept(left)
          fieldRef.current?.focus()
        }}
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
      {tooLong !== null && (
        <div className="composer__failed" role="alert" data-testid="too-long">
          <Icon name="warning" size={18} />
          <span>
            This text has {tooLong.length.toLocaleString()} characters, and a message has at most{' '}
            {MAX_DRAFT_LENGTH.toLocaleString()}. It is not saved until it is shorter.
          </span>
        </div>
      )}
      {reply && (
        <div className="composer__reply">
          <blockquote className="quote">
            <cite>Reply to {reply.fromUid}</cite>
            <p>{reply.content}</p>
          </blockquote>
          <IconButton
            icon="close"
            label="Do not reply to this message"
            onClick={() => {
              setReply(null)
              fieldRef.current?.focus()
            }}
          />
        </div>
      )}
      <div className="composer__row">
        <textarea
          ref={field}
          aria-invalid={tooLong !== null}
          // Enter held or pressed twice to open the conversation is not one that is pressed after typing.
          onInput={() => {
            openedAt.current = Number.NEGATIVE_INFINITY
          }}
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
          disabled={isEmpty || tooLong !== null}
          // Keeps the focus in the field, and the keyboard of a phone open.
          onPointerDown={(event) => event.preventDefault()}
          onClick={submit}
        />
      </div>
    </div>
  )
}

/** Hands a text over to `keep` when the composer goes away, and makes the browser ask before the page goes. */
function useKeepText(text: string | null, keep: (text: string) => void): void {
  const latest = useRef({ text, keep })
  latest.current = { text, keep }
  useEffect(
    () => () => {
      const last = latest.current
      if (last.text !== null) last.keep(last.text)
    },
    [],
  )
  const isTooLong = text !== null
  useEffect(() => {
    if (!isTooLong) return
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isTooLong])
}

/** Makes the field as high as its text, where the style sheet's `field-sizing` is not known. */
function growField(field: HTMLTextAreaElement, text: string): void {
  if (CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  if (text !== '') field.style.height = `${field.scrollHeight}px`
}
