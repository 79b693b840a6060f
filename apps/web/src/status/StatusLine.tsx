import { useStatus } from '@parley/react'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { Icon, type IconName } from '../ui/icons.js'
import { describeStatus, type StatusTone, type StatusWords } from './describeStatus.js'
import './status.css'

const ICONS: Record<StatusTone, IconName> = {
  ok: 'check',
  busy: 'clock',
  offline: 'cloudOff',
  problem: 'warning',
}

/** Saving takes milliseconds as a rule; a line that flickers at every letter says less than one that stays. */
const PATIENCE_MS = 700

/** One line that says whether the user's changes are safe. */
export function StatusLine() {
  const status = useStatus()
  const hasNetwork = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine)
  const words = useCalm(status ? describeStatus(status, hasNetwork) : null)
  if (!words) return null
  return (
    <p className={`status status--${words.tone}`} role="status" title={words.detail} data-testid="status">
      <Icon name={ICONS[words.tone]} size={16} />
      <span>{words.text}</span>
    </p>
  )
}

function subscribeToNetwork(listener: () => void): () => void {
  addEventListener('online', listener)
  addEventListener('offline', listener)
  return () => {
    removeEventListener('online', listener)
    removeEventListener('offline', listener)
  }
}

/** What was said before, until something busy has lasted for a while. */
function useCalm(words: StatusWords | null): StatusWords | null {
  const [shown, setShown] = useState(words)
  const { tone, text, detail } = words ?? {}
  useEffect(() => {
    const next = tone && text !== undefined && detail !== undefined ? { tone, text, detail } : null
    const timer = setTimeout(() => setShown(next), tone === 'busy' ? PATIENCE_MS : 0)
    return () => clearTimeout(timer)
  }, [tone, text, detail])
  return shown ?? words
}
