import { type FormEvent, useState, useSyncExternalStore } from 'react'
import { beginSession, type LeaveNotice, leaveNotice, retryDeletion } from '../session/currentSession.js'
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
  const notice = useSyncExternalStore(leaveNotice.subscribe, leaveNotice.getSnapshot)

  const begin = (name: string, sample: boolean): void => {
    // A name that was cut would be another user's.
    const tooLong = [name, deviceName.trim()].find((text) => text.length > MAX_NAME_LENGTH)
    if (tooLong !== undefined) {
      setError(`A name has at most ${MAX_NAME_LENGTH} characters; this one has ${tooLong.length}.`)
      return
    }
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
        {notice && <Notice notice={notice} />}
        <p className="welcome__lead">
          Conversations that live on your device. Read, pin and write without a network; all your devices
          agree when they meet again, and no draft is lost.
        </p>
        <label className="field">
          This device is called
          <input value={deviceName} onChange={({ target }) => setDeviceName(target.value)} />
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

/** Says what became of the local data of a user who left. */
function Notice({ notice }: { readonly notice: LeaveNotice }) {
  const { state, userId } = notice
  return (
    <div className="welcome__notice" role="status">
      {state === 'deleting' && <p>Deleting the local data of {userId} …</p>}
      {state === 'deleted' && <p>The local data of {userId} is deleted from this browser.</p>}
      {state === 'failed' && (
        <>
          <p>
            The local data of {userId} is not deleted completely. {notice.message}.
          </p>
          <button type="button" className="button button--small" onClick={() => void retryDeletion()}>
            Try again
          </button>
        </>
      )}
    </div>
  )
}
