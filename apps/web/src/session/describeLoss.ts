import type { ClientStatus } from '@parley/client'
import { parseChannelKey } from '@parley/core'
import { displayName } from '../list/displayName.js'
import type { Session } from './session.js'

/** What leaving would lose, and whether waiting helps. */
export interface Loss {
  /** `nothing`: all is where it has to be. `waiting`: it is on its way. `lost`: it would be lost if the user left now. */
  readonly state: 'nothing' | 'waiting' | 'lost'
  /** Sentences about what would be lost. */
  readonly details: readonly string[]
}

/** States in which the client connects, or tries again, by itself. */
const MOVING: ReadonlySet<ClientStatus['connection']['state']> = new Set(['connecting', 'syncing', 'online'])

/** Says what would be lost if the user left now, with or without deleting the local data. */
export function describeLoss(
  session: Pick<Session, 'client' | 'unsent'>,
  deletes: boolean,
  hasNetwork = navigator.onLine,
): Loss {
  const { connection, unsaved } = session.client.status.getSnapshot()
  const unsent = deletes ? session.unsent() : []
  // Without deleting, what is on this device's disk is safe, too.
  const isUnsaved = unsaved.server && (deletes || unsaved.disk)
  if (!isUnsaved && unsent.length === 0) return { state: 'nothing', details: [] }
  const isMoving = hasNetwork && MOVING.has(connection.state)
  const details: string[] = []
  if (unsent.length > 0) details.push(describeUnsent(unsent))
  if (isUnsaved) details.push(describeUnsaved(session, connection.state))
  return { state: isMoving ? 'waiting' : 'lost', details }
}

function describeUnsent(unsent: ReturnType<Session['unsent']>): string {
  const names = [...new Set(unsent.map(({ channel }) => displayName(channel)))].join(', ')
  return `${unsent.length === 1 ? 'One message' : `${unsent.length} messages`} not sent yet, to ${names}.`
}

function describeUnsaved(
  { client }: Pick<Session, 'client'>,
  connection: ClientStatus['connection']['state'],
): string {
  const { store } = client
  const drafts = store
    .keys()
    .map((key) => store.conversation(parseChannelKey(key)))
    .filter((handle) => handle.draft.getSnapshot().composer !== null)
    .map(({ channel }) => displayName(channel))
  const what =
    connection === 'local-only'
      ? 'All conversations: they are on no server'
      : 'The last changes of this device, which the server has not confirmed'
  return drafts.length === 0 ? `${what}.` : `${what}. There are drafts to ${drafts.join(', ')}.`
}
