import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { ServerError } from '../errors.js'

/** What an awareness update of y-protocols says of one client. */
export interface AwarenessEntry {
  readonly client: number
  readonly clock: number
  /** The client's state as JSON; {@link GONE} if it left. */
  readonly state: string
}

/** The state of a client that is no longer there. */
export const GONE = 'null'

/** True if an entry says something newer of its client than what is known. */
export function isNewer(entry: AwarenessEntry, known: Pick<AwarenessEntry, 'clock'>): boolean {
  // y-protocols takes a `null` of the same clock for the end.
  return entry.clock > known.clock || (entry.clock === known.clock && entry.state === GONE)
}

/** @throws ServerError with code `malformed` */
export function decodeAwareness(update: Uint8Array): AwarenessEntry[] {
  try {
    const decoder = decoding.createDecoder(update)
    const entries: AwarenessEntry[] = []
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const client = decoding.readVarUint(decoder)
      const clock = decoding.readVarUint(decoder)
      const state = decoding.readVarString(decoder)
      // The other clients would throw on what is no JSON.
      JSON.parse(state)
      entries.push({ client, clock, state })
    }
    if (decoding.hasContent(decoder)) throw new Error('bytes behind the end')
    return entries
  } catch (cause) {
    throw new ServerError('malformed', 'not an awareness update', { cause })
  }
}

/** The entries as an awareness update. */
export function encodeAwarenessEntries(entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { client, clock, state } of entries) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}
