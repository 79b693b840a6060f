import { MAX_DRAFT_LENGTH } from '@parley/core'
import { useEffect, useMemo, useState } from 'react'
import { oneLine } from '../list/digest.js'

/** The properties of {@link RejectedText}. */
export interface RejectedTextProps {
  readonly texts: readonly string[]
  readonly onDiscard: (text: string) => void
}

/** Texts that were too long for a draft when the conversation was left. Each stays until the user discards it. */
export function RejectedText({ texts, onDiscard }: RejectedTextProps) {
  if (texts.length === 0) return null
  return (
    <div className="composer__rejected" role="alert" data-testid="rejected">
      {texts.map((text) => (
        <RejectedItem key={text} text={text} onDiscard={() => onDiscard(text)} />
      ))}
    </div>
  )
}

function RejectedItem({ text, onDiscard }: { readonly text: string; readonly onDiscard: () => void }) {
  const [copied, setCopied] = useState<boolean | null>(null)
  const address = useMemo(() => URL.createObjectURL(new Blob([text], { type: 'text/plain' })), [text])
  useEffect(() => () => URL.revokeObjectURL(address), [address])
  const copy = (): void => {
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    done.then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  return (
    <div className="rejected">
      <p>
        Not saved: this text has {text.length.toLocaleString()} characters, and a draft has at most{' '}
        {MAX_DRAFT_LENGTH.toLocaleString()}. It stays here, on this page only, until you discard it.
      </p>
      <p className="rejected__preview">{oneLine(text)}</p>
      <p className="rejected__buttons">
        <button type="button" className="button button--small" onClick={copy}>
          {copied === null ? 'Copy' : copied ? 'Copied' : 'Not copied: save it instead'}
        </button>
        <a className="button button--small" href={address} download="not-saved.txt">
          Save as file
        </a>
        <button type="button" className="button button--small" onClick={onDiscard}>
          Discard
        </button>
      </p>
    </div>
  )
}
