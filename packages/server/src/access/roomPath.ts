const SYNC_PREFIX = '/sync/'
const MAX_UID_CHARACTERS = 200

/**
 * The user whose room a path such as `/sync/alice` names: one percent-encoded segment of 1 to 200 characters. `null` for
 * every other path.
 */
export function roomOfPath(path: string): string | null {
  if (!path.startsWith(SYNC_PREFIX)) return null
  const segment = path.slice(SYNC_PREFIX.length)
  if (segment === '' || segment.includes('/')) return null
  let uid: string
  try {
    uid = decodeURIComponent(segment)
  } catch {
    return null
  }
  return isUid(uid) ? uid : null
}

/** True if a string can be a user's id: 1 to 200 characters, well-formed, none of them NUL, which PostgreSQL cannot hold. */
export function isUid(uid: string): boolean {
  if (uid === '' || uid.includes('\0') || /\p{Surrogate}/u.test(uid)) return false
  // Counted only where it matters: a character takes one unit or two.
  const isShort = uid.length <= MAX_UID_CHARACTERS
  return isShort || (uid.length <= 2 * MAX_UID_CHARACTERS && [...uid].length <= MAX_UID_CHARACTERS)
}
