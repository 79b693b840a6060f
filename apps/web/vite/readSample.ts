import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { SampleSources } from '../src/demo/sample/convertSample.js'

const FOLDER = new URL('../../../test/data/ubuntu-irc/', import.meta.url)

/** Reads the sample from the repository. */
export function readSample(): SampleSources {
  const read = (name: string) => readFileSync(new URL(name, FOLDER))
  return {
    about: read('about.json').toString(),
    conversations: read('conversation-sync.wukongim.json').toString(),
    messages: gunzipSync(read('messages.ndjson.gz')).toString(),
  }
}
