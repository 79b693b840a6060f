import { ServerError } from '../errors.js'
import { decodeAwareness, encodeAwarenessEntries, GONE, isNewer } from './awarenessUpdate.js'

interface Presence {
  clock: number
  /** The client's state as JSON, relayed as it came. */
  state: string
  owner: object
}

/**
 * Who is in a room: y-protocols' awareness, kept by the server for those who come later. Unlike the `Awareness` of
 * y-protocols it has no timer and no state of its own, forgets a client with its connection, and never takes a state apart.
 */
export interface PresenceList {
  /**
   * Takes in what a connection says.
   *
   * @returns true if there is something in it for the others
   * @throws ServerError with code `malformed`; nothing was taken in then
   */
  receive: (owner: object, update: Uint8Array) => boolean
  /** Everybody who is there, encoded, or `null` if there is nobody. */
  all: () => Uint8Array | null
  /** Forgets those a connection spoke for; what tells the others, or `null` if there were none. */
  leave: (owner: object) => Uint8Array | null
}

/** Creates an empty {@link PresenceList}. */
export function createPresenceList(maxClientsPerOwner: number): PresenceList {
  const clients = new Map<number, Presence>()

  return {
    receive(owner, update) {
      const said = decodeAwareness(update)
      const speaksFor = new Set(said.map(({ client }) => client))
      for (const [client, presence] of clients) if (presence.owner === owner) speaksFor.add(client)
      if (speaksFor.size > maxClientsPerOwner) {
        throw new ServerError('malformed', `awareness for more than ${maxClientsPerOwner} clients`)
      }
      let changed = false
      for (const entry of said) {
        const { client, clock, state } = entry
        const known = clients.get(client)
        if (known ? !isNewer(entry, known) : state === GONE) continue
        if (state === GONE) clients.delete(client)
        else clients.set(client, { clock, state, owner })
        changed = true
      }
      return changed
    },
    all() {
      if (clients.size === 0) return null
      return encodeAwarenessEntries(
        [...clients].map(([client, { clock, state }]) => ({ client, clock, state })),
      )
    },
    leave(owner) {
      const left = [...clients].filter(([, presence]) => presence.owner === owner)
      if (left.length === 0) return null
      for (const [client] of left) clients.delete(client)
      // With the clock that is known: y-protocols takes a `null` of the same clock for the end.
      return encodeAwarenessEntries(left.map(([client, { clock }]) => ({ client, clock, state: GONE })))
    },
  }
}
