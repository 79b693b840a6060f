import type { ClientStatus } from '@parley/client'

/** How a status is to be taken. */
export type StatusTone = 'ok' | 'busy' | 'offline' | 'problem'

/** A status in words that need no explanation. */
export interface StatusWords {
  readonly tone: StatusTone
  readonly text: string
  /** More, for who wants to know. */
  readonly detail: string
}

const OFFLINE = 'Saved on this device – offline'

/**
 * Says where the user's changes are safe, worst news first.
 *
 * @param hasNetwork false where the browser is sure that there is none: a socket may look open for a while after that
 */
export function describeStatus(status: ClientStatus, hasNetwork = true): StatusWords {
  const { connection, storage, saved, unsaved } = status
  if (!status.ready) return words('busy', 'Opening …', 'Reading what is kept on this device')
  const problem = describeProblem(status)
  if (problem) return problem
  if (!hasNetwork && unsaved.server && !unsaved.disk) {
    return words('offline', OFFLINE, 'Changes are sent as soon as there is a network')
  }
  switch (connection.state) {
    case 'needs-auth':
      return words('problem', 'Sign in again to sync', 'Changes are kept on this device until then')
    case 'denied':
      return words('problem', 'The server refuses to sync', connection.reason?.message ?? '')
    case 'connecting':
      return words('busy', 'Connecting …', onThisDevice(status))
    case 'syncing':
      return words('busy', 'Syncing …', onThisDevice(status))
    case 'online':
      return saved === 'server'
        ? words('ok', 'All changes saved', 'On this device and on the server')
        : words('busy', 'Saving …', 'Waiting for the server to confirm')
    case 'local-only':
      return unsaved.disk
        ? words('busy', 'Saving …', 'Writing to this device')
        : words('ok', 'Saved on this device', 'There is no server to sync with')
    case 'offline':
      if (unsaved.disk) return words('busy', 'Saving …', 'Writing to this device')
      return words(
        'offline',
        storage.state === 'indexeddb' ? OFFLINE : 'Offline',
        connection.reason?.message ?? 'Changes are sent as soon as there is a network',
      )
  }
}

/** What is wrong with storage, as long as the server does not make up for it. */
function describeProblem({ storage, saved, unsaved }: ClientStatus): StatusWords | null {
  const { state, reason } = storage
  const onServer = saved === 'server' ? 'Saved on the server only' : null
  if (reason?.code === 'quota-exceeded' && (unsaved.disk || state === 'memory')) {
    return words('problem', onServer ?? 'Not saved: storage is full', 'Free some space on this device')
  }
  if (state === 'indexeddb' && reason && unsaved.disk) {
    return words('problem', onServer ?? 'Not saved on this device', reason.message)
  }
  if (state === 'memory' && reason?.code !== 'chosen') {
    return words(
      'problem',
      onServer ?? 'Not saved: this browser keeps no data',
      reason?.message ?? 'Changes are lost when this page is closed',
    )
  }
  return null
}

function onThisDevice({ unsaved }: ClientStatus): string {
  return unsaved.disk ? 'Changes are being written to this device' : 'Changes are saved on this device'
}

function words(tone: StatusTone, text: string, detail: string): StatusWords {
  return { tone, text, detail }
}
