import { type Bucket, createBucket, type Rate } from './bucket.js'

/** What is counted by the second. */
export type Metered = 'upgrades' | 'requests' | 'bytes' | 'messages' | 'answers'

/** A user or an address: whoever has limits of their own. */
export interface Party {
  /** Connections now, those included that were not let in yet. */
  connections: number
  /** Bytes of messages that have begun to arrive and are not complete. */
  unfinishedBytes: number
  /** Rooms that are open from here, each with its connections. */
  readonly rooms: Map<string, number>
  readonly bucket: (metered: Metered) => Bucket
  /** True while it makes a difference whether it is known. */
  readonly isActive: boolean
}

/** Those of one kind, by their names. Whoever makes no difference is forgotten. */
export interface Parties {
  get: (name: string) => Party
}

/** Forgetting means looking at all of them, so it is done only when there are twice as many as were left the last time. */
const MIN_SWEEP_COUNT = 1_000

/** Creates {@link Parties} with the same rates for each. */
export function createParties(rates: Readonly<Record<Metered, Rate>>, now: () => number): Parties {
  const parties = new Map<string, Party>()
  let sweepAt = MIN_SWEEP_COUNT
  const sweep = (): void => {
    for (const [name, party] of parties) if (!party.isActive) parties.delete(name)
    sweepAt = Math.max(MIN_SWEEP_COUNT, 2 * parties.size)
  }
  return {
    get(name) {
      const known = parties.get(name)
      if (known) return known
      if (parties.size >= sweepAt) sweep()
      const party = new MeteredParty(rates, now)
      parties.set(name, party)
      return party
    },
  }
}

/** A class, as there is one for each user who is connected: an object literal with a getter would be a hash table each. */
class MeteredParty implements Party {
  connections = 0
  unfinishedBytes = 0
  private readonly rates: Readonly<Record<Metered, Rate>>
  private readonly now: () => number
  private readonly buckets: { [metered in Metered]?: Bucket } = {}
  /** Only addresses have any. */
  private openRooms: Map<string, number> | null = null

  constructor(rates: Readonly<Record<Metered, Rate>>, now: () => number) {
    this.rates = rates
    this.now = now
  }

  get rooms(): Map<string, number> {
    this.openRooms ??= new Map()
    return this.openRooms
  }

  get isActive(): boolean {
    return this.connections > 0 || Object.values(this.buckets).some(({ isFull }) => !isFull)
  }

  bucket(metered: Metered): Bucket {
    this.buckets[metered] ??= createBucket(this.rates[metered], this.now)
    return this.buckets[metered]
  }
}
