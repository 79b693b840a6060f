// For `node --import`: takes the sync out of the log's writes, and nothing else.
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const FILE = '/packages/server/dist/log/levelDatabase.js'
const WITH = '{ sync: true }'
const WITHOUT = '{ sync: false }'

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (!url.endsWith(FILE)) return loaded
  const source = String(loaded.source)
  if (source.split(WITH).length !== 2)
    throw new Error(`${FILE} has not one ${WITH}: the test is to be mended`)
  return { ...loaded, source: source.replace(WITH, WITHOUT) }
}

// As hooks it is loaded once more, in a thread of their own.
if (isMainThread) register(import.meta.url)
