import type { ClientEnvironment } from '../environment.js'
import type { Reason, RefusalCode } from './status.js'

const MESSAGES: Record<RefusalCode, string> = {
  'locks-refused': 'The browser refuses Web Locks to this page; each tab connects to the server for itself.',
  'channel-refused': 'The browser refuses BroadcastChannel to this page; tabs sync through the server only.',
  'local-storage-refused':
    'The browser refuses localStorage to this page; the wall clock alone decides about the order of edits after a crash.',
}

/** Which of the browser's capabilities exist and are refused to this page. */
export function listRefusals(refused: Record<RefusalCode, boolean>): ReadonlyArray<Reason<RefusalCode>> {
  return (Object.keys(MESSAGES) as RefusalCode[])
    .filter((code) => refused[code])
    .map((code) => ({ code, message: MESSAGES[code] }))
}

/** The key that is looked up once to find out whether `localStorage` answers; nothing is stored there. */
const PROBE_KEY = 'parley/probe'

/** True if there is a `localStorage` and reading it throws. */
export function isLocalStorageRefused({ localStorage }: Pick<ClientEnvironment, 'localStorage'>): boolean {
  try {
    localStorage?.getItem(PROBE_KEY)
    return false
  } catch {
    return true
  }
}
