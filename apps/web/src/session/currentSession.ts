import { createEmitter, type Readable } from '@parley/core'
import { createChatServer } from '../demo/chat/chatServer.js'
import { browserKeyValue } from '../demo/chat/keyValue.js'
import { provideSample } from '../demo/sample/loadSample.js'
import { type Profile, readProfile, writeProfile } from './profile.js'
import { createSession, type Session, syncUrl } from './session.js'

const storage = browserKeyValue()
const changes = createEmitter<void>(console.error)
let session: Session | null = null

/** The session of whoever uses this browser; `null` before the first run and after leaving. */
export const currentSession: Readable<Session | null> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot: () => session,
}

/** Opens the session of the profile that is kept, if there is one. */
export function resumeSession(): void {
  const profile = readProfile(storage)
  if (profile) open(profile)
}

/** Begins as somebody, for good: the next visit goes on from here. */
export async function beginSession(profile: Profile): Promise<void> {
  writeProfile(storage, profile)
  open(profile)
  // Into a list that is loaded: what is known already is then not written again.
  await session?.client.ready
  if (profile.sample && session) await provideSample(session.client.store)
}

/** Leaves; what is on this device stays there, or is deleted. */
export async function leaveSession(deleteData: boolean): Promise<void> {
  const leaving = session
  session = null
  writeProfile(storage, null)
  changes.emit()
  await (deleteData ? leaving?.destroy() : leaving?.close())
}

function open({ userId, deviceName, sample }: Profile): void {
  session = createSession({
    userId,
    deviceName,
    url: syncUrl(location),
    server: createChatServer(storage, userId),
    storage,
    withSample: sample,
  })
  changes.emit()
}
