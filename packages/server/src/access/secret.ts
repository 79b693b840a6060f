import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** The token of `Authorization: Bearer <token>`. */
export function bearerOf({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

/** One secret, or several that are valid at once while the first replaces the others. */
export type Secrets = string | readonly string[]

/** True if `given` is one of the secrets. How long it takes says nothing of how much was right. */
export function isSecret(given: string, secrets: Secrets): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const asked = digest(given)
  const matches = [secrets].flat().map((secret) => timingSafeEqual(asked, digest(secret)))
  return matches.includes(true)
}
