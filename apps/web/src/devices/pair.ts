import { createEmitter, type Readable } from '@parley/core'
import { type ChatServer, createChatServer } from '../demo/chat/chatServer.js'
import { browserKeyValue, type KeyValue } from '../demo/chat/keyValue.js'
import { createSession, type Session, syncUrl } from '../session/session.js'
import { holdLocalData } from '../session/sessionLock.js'
import { begin } from './people.js'
import { createRelay } from './relay.js'

/** One of the two devices, with the switch that takes it off the network. */
export interface Device {
  readonly name: string
  readonly session: Session
  readonly network: Readable<boolean>
  setNetwork: (on: boolean) => void
}

/** Two devices of one user in one page, each with its own storage. */
export interface Pair {
  readonly devices: readonly [Device, Device]
  readonly server: ChatServer
  /** True if they are synced through a server, false if inside of this page. */
  readonly hasServer: boolean
}

const NAMES = ['Laptop', 'Phone'] as const
const USER_KEY = 'parley.devices.user'

const storage = browserKeyValue()
const changes = createEmitter<void>(console.error)
let pair: Pair | null = null
let opening: Promise<void> | null = null
let stopRelay = (): void => {}
let release = (): void => {}

/** The pair of this page; `null` until it is open. */
export const currentPair: Readable<Pair | null> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot: () => pair,
}

/** Opens the pair, once. It stays open while the page lives, so that leaving for the list and coming back changes nothing. */
export function openPair(): Promise<void> {
  if (!opening) {
    opening = open()
    changes.emit()
  }
  return opening
}

/** True while a pair is being opened, and while one is open. */
export function isPairOpening(): boolean {
  return opening !== null
}

/** The user whose devices are shown side by side in this browser; `null` if there never were any. */
export function pairUserId(values: KeyValue = storage): string | null {
  return values.getItem(USER_KEY) || null
}

/** Ends both devices, if they are open, and deletes their data if `deleteData` is true. The page may open a new pair. */
export async function closePair(deleteData: boolean): Promise<void> {
  await opening?.catch(() => {})
  const old = pair
  pair = null
  opening = null
  stopRelay()
  if (!old) return
  changes.emit()
  // What cannot be deleted is deleted by name afterwards.
  await Promise.allSettled(
    old.devices.map(({ session }) => (deleteData ? session.destroy() : session.close())),
  )
  release()
}

/** Deletes both devices' data and begins with two new ones. */
export async function startOver(): Promise<void> {
  const old = pair
  pair = null
  changes.emit()
  stopRelay()
  storage.setItem(USER_KEY, '')
  // What cannot be deleted is in nobody's way: the next pair has another name.
  await Promise.allSettled(old?.devices.map(({ session }) => session.destroy()) ?? [])
  opening = open()
  await opening
}

async function open(): Promise<void> {
  release()
  release = await holdLocalData()
  const hasServer = await isServerThere()
  const kept = storage.getItem(USER_KEY)
  const userId = kept || `side-by-side-${Math.random().toString(36).slice(2, 8)}`
  const server = createChatServer(storage, userId)
  if (!kept) {
    storage.setItem(USER_KEY, userId)
    begin(server, Date.now())
  }
  const relay = createRelay()
  const make = (which: 0 | 1): Device => {
    const name = NAMES[which]
    const session = createSession({
      userId,
      deviceName: name,
      url: hasServer ? syncUrl(location) : undefined,
      profile: name.toLowerCase(),
      server,
      storage,
      ...(hasServer ? {} : { online: relay.online[which] }),
    })
    return {
      name,
      session,
      ...(hasServer
        ? serverSwitch(session)
        : { network: relay.online[which], setNetwork: (on) => relay.setOnline(which, on) }),
    }
  }
  const devices = [make(0), make(1)] as const
  await Promise.all(devices.map(({ session }) => session.client.ready))
  if (!hasServer) stopRelay = relay.start([devices[0].session.client.store, devices[1].session.client.store])
  pair = { devices, server, hasServer }
  changes.emit()
}

function serverSwitch({ client }: Session): Pick<Device, 'network' | 'setNetwork'> {
  const switched = createEmitter<void>(console.error)
  let on = true
  return {
    network: { subscribe: (listener) => switched.subscribe(listener), getSnapshot: () => on },
    setNetwork(next) {
      on = next
      if (next) client.connect()
      else client.disconnect()
      switched.emit()
    },
  }
}

/** A page that is served by something else answers, if at all, with itself. */
async function isServerThere(): Promise<boolean> {
  try {
    const response = await fetch('/healthz', { cache: 'no-store' })
    return response.ok && !(response.headers.get('content-type') ?? '').includes('text/html')
  } catch {
    return false
  }
}
