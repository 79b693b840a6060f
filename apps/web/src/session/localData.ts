import { databaseName } from '@parley/client'
import { demoPrefix, type KeyValue } from '../demo/chat/keyValue.js'

/** How long the browser may take to delete one database, in milliseconds. */
const DELETE_TIMEOUT_MS = 10_000

/** What the names of the service worker's caches begin with; see vite/serviceWorker.js. */
const CACHE_PREFIX = 'parley-app-'

/** What belongs to the browser rather than to a user. */
const SHARED_KEYS: readonly string[] = ['parley.theme', 'parley.devices.user', 'parley.profile']

/**
 * Deletes everything that the app keeps in this browser for the users named, and what it keeps for all: databases, messages,
 * what waits to be sent, settings, `sessionStorage`, and the app itself with its service worker. Other users' data stay.
 *
 * @throws Error that names what could not be deleted; the rest is deleted
 */
export async function deleteLocalData(storage: KeyValue, userIds: readonly string[]): Promise<void> {
  const failures: string[] = []
  const attempt = async (what: string, action: () => Promise<unknown> | undefined): Promise<void> => {
    try {
      await action()
    } catch {
      failures.push(what)
    }
  }
  const prefixes = userIds.map(databasePrefix)
  deleteValues(storage, userIds)
  await attempt('stored conversations', async () => {
    // Firefox before 126 cannot list databases; a session deletes its own before this.
    const databases = (await globalThis.indexedDB?.databases?.()) ?? []
    const names = databases.map(({ name = '' }) => name)
    const own = names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    await Promise.all(own.map(deleteDatabase))
  })
  await attempt('values of this tab', async () => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith('parley')) sessionStorage.removeItem(key)
    }
  })
  await attempt('the app for use without a network', async () => {
    const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? []
    await Promise.all(registrations.map((registration) => registration.unregister()))
    const names = (await globalThis.caches?.keys()) ?? []
    await Promise.all(
      names.filter((name) => name.startsWith(CACHE_PREFIX)).map((name) => caches.delete(name)),
    )
  })
  if (failures.length > 0) throw new Error(`These could not be deleted: ${failures.join(', ')}`)
}

/** Deletes what `storage` has of the users named, and of all. */
function deleteValues(storage: KeyValue, userIds: readonly string[]): void {
  const prefixes = userIds.flatMap((userId) => [databasePrefix(userId), demoPrefix(userId)])
  for (const key of storage.keys()) {
    if (SHARED_KEYS.includes(key) || prefixes.some((prefix) => key.startsWith(prefix)))
      storage.removeItem(key)
  }
}

/** What the names of a user's databases, of all profiles, and the keys of their clocks begin with. */
function databasePrefix(userId: string): string {
  // Without the last two parts, and with the slash before them: another user's name may begin with this one.
  return `${databaseName({ userId }).split('/').slice(0, -2).join('/')}/`
}

function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The browser does not answer')), DELETE_TIMEOUT_MS)
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => {
      clearTimeout(timer)
      resolve()
    }
    request.onerror = () => {
      clearTimeout(timer)
      reject(request.error ?? new Error('The browser refused'))
    }
  })
}
