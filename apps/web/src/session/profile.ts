import { type KeyValue, readJson } from '../demo/chat/keyValue.js'

/** Who uses this browser, as answered on the first run. */
export interface Profile {
  readonly userId: string
  /** What the user's other devices call this one. */
  readonly deviceName: string
  /** Whether the sample conversations were asked for. */
  readonly sample: boolean
}

const STORAGE_KEY = 'parley.profile'
const DELETION_KEY = 'parley.deletion'

/** Reads the profile; `null` before the first run and after leaving. */
export function readProfile(storage: KeyValue): Profile | null
/** Reads the profile; `null` after leaving, `undefined` if nothing is kept at all. */
export function readProfile(storage: KeyValue, how: 'as written'): Profile | null | undefined
export function readProfile(storage: KeyValue, how?: 'as written'): Profile | null | undefined {
  if (how !== undefined && storage.getItem(STORAGE_KEY) === null) return undefined
  const { userId, deviceName, sample } = readJson<Partial<Profile>>(storage, STORAGE_KEY, {})
  if (typeof userId !== 'string' || userId === '') return null
  return { userId, deviceName: deviceName || guessDeviceName(navigator.userAgent), sample: sample === true }
}

/** Keeps the profile, or forgets it. */
export function writeProfile(storage: KeyValue, profile: Profile | null): void {
  storage.setItem(STORAGE_KEY, JSON.stringify(profile))
}

/** The user whose local data is being deleted; `null` if none is. It outlives the page, so that a deletion is finished. */
export function readDeletion(storage: KeyValue): string | null {
  return storage.getItem(DELETION_KEY)
}

/** Notes that a user's local data is being deleted, or that this is done. */
export function writeDeletion(storage: KeyValue, userId: string | null): void {
  if (userId === null) storage.removeItem(DELETION_KEY)
  else storage.setItem(DELETION_KEY, userId)
}

/** A name for this device that its owner will recognise. */
export function guessDeviceName(userAgent: string): string {
  if (/iPhone/.test(userAgent)) return 'iPhone'
  if (/iPad/.test(userAgent)) return 'iPad'
  if (/Android/.test(userAgent)) return /Mobile/.test(userAgent) ? 'Phone' : 'Tablet'
  if (/Macintosh/.test(userAgent)) return 'Mac'
  if (/Windows/.test(userAgent)) return 'Windows PC'
  return /CrOS/.test(userAgent) ? 'Chromebook' : 'Laptop'
}
