import { type FormEvent, useState } from 'react'
import { beginSession } from '../session/currentSession.js'
import { guessDeviceName } from '../session/profile.js'
import { Icon } from '../ui/icons.js'
import './welcome.css'

/** The user that the sample conversations belong to. */
const SAMPLE_USER = 'Pici'
const MAX_NAME_LENGTH = 60

/** What somebody sees who was never here. */
export function Welcome() {
  const [deviceName, setDeviceName] = useState(() => guessDeviceName(navigator.userAgent))
  const [userId, setUserId] = useState('')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)

  const begin = (name: string, sample: boolean): void => {
    setBusy(true)
    setError('')
    beginSession({ userId: name, deviceName: deviceName.trim() || 'Laptop', sample }).catch(
      (reason: unknown) => {
        setBusy(false)
        setError(reason instanceof Error ? reason.message : String(reason))
      },
    )
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const name = userId.trim()
    if (name === '' || name === '.' || name === '..') setError('Please enter a name.')
    else begin(name, false)
  }

  return (
    <main className="welcome">
      <div className="welcome__card">
        <p className="welcome__logo" aria-hidden="true">
          <span />
          <span />
        </p>
        <h1>Parley</h1>
        <p className="welcome__lead">
          Conversations that live on your device. Read, pin and write without a network; all your devices
          agree when they meet again, and no draft is lost.
        </p>
        <label className="field">
          This device is called
          <input
            value={deviceName}
            maxLength={MAX_NAME_LENGTH}
            onChange={({ target }) => setDeviceName(target.value)}
          />
        </label>
        <button
          type="button"
          className="button button--primary welcome__sample"
          disabled={busy}
          onClick={() => begin(SAMPLE_USER, true)}
        >
          Look around with sample conversations
        </button>
        <p className="welcome__note">8 days of the #ubuntu IRC channel, seen as {SAMPLE_USER}</p>
        <p className="welcome__or">or</p>
        <form className="welcome__own" onSubmit={submit}>
          <label className="field">
            Start empty, as
            <input
              value={userId}
              placeholder="Your name"
              maxLength={MAX_NAME_LENGTH}
              autoCapitalize="off"
              autoComplete="username"
              onChange={({ target }) => setUserId(target.value)}
            />
          </label>
          <button type="submit" className="button" disabled={busy}>
            Start
          </button>
        </form>
        {error && (
          <p className="welcome__error" role="alert">
            {error}
          </p>
        )}
        <p className="welcome__links">
          <a href="#/devices">
            <Icon name="devices" size={18} /> Two devices side by side
          </a>
          <a href="#/about">
            <Icon name="info" size={18} /> About
          </a>
        </p>
      </div>
    </main>
  )
}
