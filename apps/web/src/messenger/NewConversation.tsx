import { type Channel, channelKey, ParleyError } from '@parley/core'
import { type FormEvent, useRef, useState } from 'react'
import { Dialog } from './Dialog.js'

/** The properties of {@link NewConversation}. */
export interface NewConversationProps {
  readonly onCreate: (channel: Channel) => void
  readonly onClose: () => void
}

/** Asks whom to write to. */
export function NewConversation({ onCreate, onClose }: NewConversationProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [name, setName] = useState('')
  const [error, setError] = useState('')

  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const id = name.trim()
    const isGroup = id.startsWith('#')
    const channelId = isGroup ? id.slice(1).trim() : id
    if (!channelId) return
    const channel: Channel = { channelId, channelType: isGroup ? 2 : 1 }
    try {
      channelKey(channel)
    } catch (reason) {
      if (!(reason instanceof ParleyError)) throw reason
      setError(
        `This name has ${channelId.length} characters. It must be ${reason.message.split(' must be ')[1]}.`,
      )
      return
    }
    onCreate(channel)
  }

  return (
    <Dialog dialogRef={dialog} labelledBy="new-conversation" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="new-conversation">New conversation</h2>
        <label className="field">
          Name of a person, or #group
          <input
            value={name}
            autoComplete="off"
            onChange={({ target }) => {
              setName(target.value)
              setError('')
            }}
          />
        </label>
        {error && (
          <p className="dialog__error" role="alert">
            {error}
          </p>
        )}
        <p className="dialog__buttons">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            className="button button--primary"
            disabled={name.trim().replace('#', '') === ''}
          >
            Begin
          </button>
        </p>
      </form>
    </Dialog>
  )
}
