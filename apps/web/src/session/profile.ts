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

/** Reads the profile; `null` before the first run. */
export function readProfile(storage: KeyValue): Profile | null {
  const { userId, deviceName, sample } = readJson<Partial<Profile>>(storage, STORAGE_KEY, {})
  if (typeof userId !== 'string' || userId === '') return null
  return { userId, deviceName: deviceName || guessDeviceName(navigator.userAgent), sample: sample === true }
}

/** Keeps the profile, or forgets it. */
export function writeProfile(storage: KeyValue, profile: Profile | null): void {
  storage.setItem(STORAGE_KEY, JSON.stringify(profile))
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
