import { type ChannelKey, parseChannelKey } from '@parley/core'

/** Finds the places of channels in a map by their keys. */
export interface ChannelPlaces {
  /** The place of a channel in the order of the map, from 0; `undefined` if it is not in it. */
  of: (channelId: string, channelType: number) => number | undefined
}

/**
 * Creates {@link ChannelPlaces} of a map from which nothing is removed. They are found by ids as they come, for a client that
 * syncs names ten thousand of them, and a key of each would have to be put together first.
 */
export function createChannelPlaces(map: ReadonlyMap<ChannelKey, unknown>): ChannelPlaces {
  const byType = new Map<number, Map<string, number>>()
  let count = 0

  // Not before somebody asks: most documents are never asked about by name.
  const takeIn = (): void => {
    let place = 0
    for (const key of map.keys()) {
      if (place++ < count) continue
      const { channelId, channelType } = parseChannelKey(key)
      const byId = byType.get(channelType) ?? new Map<string, number>()
      byType.set(channelType, byId)
      byId.set(channelId, count++)
    }
  }

  return {
    of(channelId, channelType) {
      if (count < map.size) takeIn()
      return byType.get(channelType)?.get(channelId)
    },
  }
}
