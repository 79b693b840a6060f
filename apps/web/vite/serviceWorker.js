// Lets the app open without a network. The build puts the names of its files in; see serviceWorkerPlugin.ts.

const VERSION = '__VERSION__'
const FILES = ['__FILES__']
const PREFIX = 'parley-app-'
const CACHE = `${PREFIX}${VERSION}`

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  const dropOld = async () => {
    const names = await caches.keys()
    const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE)
    await Promise.all(old.map((name) => caches.delete(name)))
    await self.clients.claim()
  }
  event.waitUntil(dropOld())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    // A page that there is a newer one of is never shown while there is a network.
    if (pathname === '/') event.respondWith(fromNetwork(request, '/'))
  } else if (pathname.startsWith('/assets/')) event.respondWith(fromCache(request))
  else if (pathname.startsWith('/sample/') || pathname === '/favicon.svg') {
    event.respondWith(fromNetwork(request, request))
  }
})

/** For files whose name changes with what is in them. */
async function fromCache(request) {
  return (await caches.match(request)) ?? keep(request, await fetch(request))
}

async function fromNetwork(request, key) {
  try {
    return await keep(key, await fetch(request))
  } catch (error) {
    const kept = await caches.match(key)
    if (kept) return kept
    throw error
  }
}

async function keep(key, response) {
  // Not where the user had it deleted: this worker goes on for as long as pages are open that it served.
  if (response.ok && (await caches.has(CACHE))) {
    const cache = await caches.open(CACHE)
    await cache.put(key, response.clone())
  }
  return response
}
