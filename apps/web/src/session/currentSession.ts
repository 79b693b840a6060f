import { createEmitter, type Readable } from '@parley/core'
import { createChatServer } from '../demo/chat/chatServer.js'
import { browserKeyValue } from '../demo/chat/keyValue.js'
import { provideSample } from '../demo/sample/loadSample.js'
import { closePair, pairUserId } from '../devices/pair.js'
import { replaceRoute, setRouteOwner } from '../routing/route.js'
import { deleteLocalData } from './localData.js'
import { type Profile, readDeletion, readProfile, writeDeletion, writeProfile } from './profile.js'
import { createSession, type Session, syncUrl } from './session.js'
import { holdLocalData, whenNobodyHolds } from './sessionLock.js'

/** What the welcome page says about a session that ended. */
export type LeaveNotice =
  | { readonly state: 'deleting' | 'deleted'; readonly userId: string }
  | { readonly state: 'failed'; readonly userId: string; readonly message: string }

/** How long other tabs may take to let go of what is deleted, in milliseconds. */
const OTHER_TABS_MS = 5_000

const storage = browserKeyValue()
const changes = createEmitter<void>(console.error)
let session: Session | null = null
let release: Promise<() => void> | null = null
let notice: LeaveNotice | null = null

/** The session of the user of this browser; `null` before the first run and after leaving. */
export const currentSession: Readable<Session | null> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot: () => session,
}

/** What became of the session before; `null` if there is nothing to say. */
export const leaveNotice: Readable<LeaveNotice | null> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot: () => notice,
}

/**
 * Opens the session of the profile that is kept, if there is one, and follows what other tabs do: when one leaves, begins as
 * another user or deletes the local data, so does this one. A deletion that was interrupted is finished. Call it once.
 */
export function resumeSession(): void {
  const deletion = readDeletion(storage)
  if (deletion !== null) void finishDeletion(deletion)
  else {
    const profile = readProfile(storage)
    if (profile) open(profile)
  }
  addEventListener('storage', follow)
  // Events do not reach a page that the browser had frozen.
  addEventListener('pageshow', follow)
  document.addEventListener('visibilitychange', follow)
}

/** Begins as a user, for good: the next visit goes on from here. Waits while another tab deletes local data. */
export async function beginSession(profile: Profile): Promise<void> {
  const free = await holdLocalData()
  free()
  writeProfile(storage, profile)
  notice = null
  open(profile)
  const begun = session
  // Into a list that is loaded: what is known already is then not written again.
  await begun?.client.ready
  if (!profile.sample || !begun) return
  // The sample may take a while; whose session is open then need not be this one's.
  await provideSample(begun.client.store, () => begun === session)
}

/**
 * Leaves, in all tabs. What this device has stays on it, or is deleted.
 *
 * Ask before deleting: what the server does not have is lost. See {@link leaveNotice} for what becomes of it.
 */
export async function leaveSession(deleteData: boolean): Promise<void> {
  if (!session) return
  const { userId } = session.client.store
  if (deleteData) {
    // Before the profile goes, so that other tabs know why, and so that the next visit finishes what this one cannot.
    writeDeletion(storage, userId)
    await finishDeletion(userId)
  } else {
    writeProfile(storage, null)
    await letGo((leaving) => leaving.close())
  }
}

/** Tries again to delete what could not be deleted. */
export async function retryDeletion(): Promise<void> {
  if (notice?.state === 'failed') await finishDeletion(notice.userId)
}

async function finishDeletion(userId: string): Promise<void> {
  const show = (next: LeaveNotice): void => {
    notice = next
    changes.emit()
  }
  show({ state: 'deleting', userId })
  const users = [userId, pairUserId(storage)].filter((user) => user !== null)
  try {
    // A database that is still open elsewhere is deleted below, once all tabs have let go.
    const ended = letGo((leaving) => leaving.destroy().catch(() => {}))
    await Promise.all([ended, closePair(true)])
    const wasFree = await whenNobodyHolds(OTHER_TABS_MS, () => deleteLocalData(storage, users))
    if (!wasFree) throw new Error('Another tab still has it open: close that tab, then try again')
    writeDeletion(storage, null)
    show({ state: 'deleted', userId })
  } catch (error) {
    show({ state: 'failed', userId, message: error instanceof Error ? error.message : String(error) })
  }
}

/** Ends the session of this tab; nothing of it stays on the screen, in the title or in the address. */
async function letGo(end: (leaving: Session) => Promise<void>): Promise<void> {
  const leaving = session
  const held = release
  session = null
  release = null
  setRouteOwner(null)
  if (leaving) replaceRoute({ page: 'chats', selected: null })
  changes.emit()
  try {
    if (leaving) await end(leaving)
  } finally {
    const free = await held
    free?.()
  }
}

/** Does what another tab did. */
function follow(): void {
  const deletion = readDeletion(storage)
  if (deletion !== null) {
    if (session?.client.store.userId === deletion) void letGo((leaving) => leaving.destroy().catch(() => {}))
    void closePair(true)
    return
  }
  const kept = readProfile(storage, 'as written')
  // Not written at all: cleared by the browser, which is no reason to drop what the user is typing.
  if (!session || kept === undefined || kept?.userId === session.client.store.userId) return
  void letGo((leaving) => leaving.close())
  if (kept) open(kept)
}

function open({ userId, deviceName, sample }: Profile): void {
  setRouteOwner(userId)
  release = holdLocalData()
  const opened = createSession({
    userId,
    deviceName,
    url: syncUrl(location),
    server: createChatServer(storage, userId),
    storage,
    withSample: sample,
  })
  session = opened
  // A tab that was frozen while another one deleted the data hears of it only from its client.
  opened.client.status.subscribe(() => {
    const { storage: kept } = opened.client.status.getSnapshot()
    if (kept.reason?.code !== 'destroyed-elsewhere' || session !== opened) return
    void letGo(async (leaving) => {
      await leaving.close()
      // Closing keeps the mark of its clock.
      if (readProfile(storage)?.userId !== userId) await deleteLocalData(storage, [userId])
    })
  })
  changes.emit()
}
