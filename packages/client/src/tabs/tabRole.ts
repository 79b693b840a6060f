import type { ClientEnvironment } from '../environment.js'
import type { ConnectionStatus } from '../status/status.js'
import { createElection, type Election } from './election.js'
import type { TabChannel } from './tabChannel.js'

/** What a tab does for the others: it leads them, follows one that leads, or is on its own. */
export interface TabRole {
  readonly current: 'leader' | 'follower' | 'alone'
  /** True for the tab that holds the socket, stores what comes from the server, and tidies up. */
  readonly isLeading: boolean
  /** What the browser threw when it was asked for a lock; `null` if it threw nothing. */
  readonly refusal: unknown
  /** Takes part, from the start or again after {@link TabRole.resign}. */
  begin: () => void
  /** Hands the lead on, before this tab falls asleep or is left: its lock would stay with it. */
  resign: () => void
  /** Tells the followers how the connection stands, if this tab leads. */
  tell: () => void
  stop: () => void
}

export interface TabRoleOptions {
  readonly name: string
  readonly channel: TabChannel
  readonly environment: ClientEnvironment
  readonly connection: () => ConnectionStatus
  readonly onLead: () => void
  /** Called when this tab leads no more: because another one does, or because the page is asleep. */
  readonly onFollow: (why: 'other-tab' | 'suspended') => void
  /** Called with how the leader is connected. */
  readonly onLeaderConnection: (connection: ConnectionStatus) => void
}

/** Creates the {@link TabRole} of a tab. Without locks or a channel every tab is on its own, and leads itself. */
export function createTabRole(options: TabRoleOptions): TabRole {
  const { name, channel, environment, onLead, onFollow } = options
  let locks = channel.isAvailable ? environment.locks : undefined
  let refusal: unknown = null
  let election: Election | null = null
  let begun = false
  let stopped = false

  const isLeading = (): boolean => (locks ? election?.isLeader === true : begun && !stopped)
  const tell = (): void => {
    if (locks && isLeading()) channel.post({ type: 'leader', connection: options.connection() })
  }

  const stopMessages = channel.subscribe((message) => {
    if (!locks) return
    if (message.type === 'ping') tell()
    if (message.type !== 'leader' || isLeading()) return
    election?.heard()
    options.onLeaderConnection(message.connection)
  })

  const begin = (): void => {
    if (stopped || election) return
    if (!locks) {
      if (!begun) {
        begun = true
        onLead()
      }
      return
    }
    const created = createElection({
      name: `${name}/leader`,
      locks,
      environment,
      ping: () => channel.post({ type: 'ping' }),
      onElected() {
        onLead()
        tell()
      },
      onRobbed: () => onFollow('other-tab'),
      onRefused(error) {
        election = null
        locks = undefined
        refusal = error
        begin()
      },
    })
    // Where the request itself throws, it was refused by now.
    if (locks) election = created
  }

  return {
    get current() {
      if (!locks) return 'alone'
      return isLeading() ? 'leader' : 'follower'
    },
    get isLeading() {
      return isLeading()
    },
    get refusal() {
      return refusal
    },
    begin,
    resign() {
      const led = isLeading()
      begun = false
      election?.stop()
      election = null
      if (led) onFollow('suspended')
    },
    tell,
    stop() {
      stopped = true
      stopMessages()
      election?.stop()
      election = null
    },
  }
}
