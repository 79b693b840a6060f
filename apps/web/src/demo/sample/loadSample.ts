import type { Store } from '@parley/core'
import { SAMPLE_FOLDER, SAMPLE_INDEX_FILE, type SampleIndex, type SampleLine } from './sampleFormat.js'

const cache = new Map<string, Promise<unknown>>()

/** Fetches the index of the sample, once. */
export function loadSampleIndex(): Promise<SampleIndex> {
  return fetchOnce<SampleIndex>(SAMPLE_INDEX_FILE)
}

/** Fetches a part of a channel's history, once. */
export function loadSampleChunk(file: string): Promise<readonly SampleLine[]> {
  return fetchOnce<readonly SampleLine[]>(file)
}

/**
 * Fills a store with the sample's conversations. Doing it again, or on another device too, changes nothing. Does nothing if
 * the store is not `wanted` any more by the time the sample is loaded.
 */
export async function provideSample(store: Store, wanted: () => boolean = () => true): Promise<void> {
  const { conversations } = await loadSampleIndex()
  if (wanted()) store.provide(conversations)
}

function fetchOnce<Value>(file: string): Promise<Value> {
  const known = cache.get(file)
  if (known) return known as Promise<Value>
  const loading = fetch(`${import.meta.env.BASE_URL}${SAMPLE_FOLDER}/${file}`).then((response) => {
    if (!response.ok) throw new Error(`The sample's ${file} could not be loaded: ${response.status}`)
    return response.json() as Promise<Value>
  })
  cache.set(file, loading)
  // What failed may work when asked again.
  loading.catch(() => cache.delete(file))
  return loading
}
