import { useEffect, useState, useSyncExternalStore } from 'react'
import { DevicePanel } from './DevicePanel.js'
import './devices.css'
import { Experiments } from './Experiments.js'
import { currentPair, isPairOpening, openPair, startOver } from './pair.js'

/** Two devices of one person side by side, to see what happens when they do not see each other. */
export function DevicesPage() {
  const pair = useSyncExternalStore(currentPair.subscribe, currentPair.getSnapshot)
  const [error, setError] = useState('')
  const attempt = (action: () => Promise<void>): void => {
    action().catch((reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)))
  }
  useEffect(() => {
    openPair().catch((reason: unknown) => setError(String(reason)))
  }, [])

  return (
    <main className="devices">
      <header className="devices__header">
        <a href="#/" className="devices__back">
          ← Conversations
        </a>
        <div className="devices__title">
          <h1>Two devices, one person</h1>
          <p>
            {pair &&
              (pair.hasServer
                ? 'Each has its own storage. They meet through the server.'
                : 'Each has its own storage. There is no server here, so they meet inside of this page.')}
          </p>
        </div>
        <button
          type="button"
          className="button button--small"
          disabled={!pair}
          onClick={() => attempt(startOver)}
        >
          Start over
        </button>
      </header>
      {error && <p role="alert">{error}</p>}
      {pair ? (
        <div className="devices__table">
          <Experiments pair={pair} />
          {pair.devices.map((device) => (
            <DevicePanel key={`${device.session.client.store.userId} ${device.name}`} device={device} />
          ))}
        </div>
      ) : (
        <div className="devices__opening">
          {!error && isPairOpening() && <p>Opening …</p>}
          {!error && !isPairOpening() && (
            <>
              <p>The data of these devices was deleted in another tab.</p>
              <button type="button" className="button" onClick={() => attempt(openPair)}>
                Open two new devices
              </button>
            </>
          )}
        </div>
      )}
    </main>
  )
}
