import type { ClientEnvironment } from '../environment.js'

/** Asks the browser to keep the site's data when the disk gets full. Resolves to what it answered; it never rejects. */
export async function askForPersistence({
  storageManager,
}: Pick<ClientEnvironment, 'storageManager'>): Promise<boolean> {
  try {
    return (await storageManager?.persisted()) === true || (await storageManager?.persist()) === true
  } catch {
    return false
  }
}
