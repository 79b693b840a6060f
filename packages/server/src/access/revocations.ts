import { createHash } from 'node:crypto'
import type { Bus } from '../bus/bus.js'
import { ServerError } from '../errors.js'
import type { LogStore, ValueScope } from '../log/logStore.js'
import type { Logger } from '../logger.js'
import type { Access } from './authenticate.js'
import { isUid } from './roomPath.js'
import { MAX_TOKEN_AGE_MS } from './tokenAge.js'

/** That a user's tokens of before a moment are not to be taken any more. */
export interface Revocation {
  readonly uid: string
  /** The device whose tokens are meant; all of the user's tokens if left out. */
  readonly device?: string
  /** In milliseconds since 1970. */
  readonly before: number
}

/** Which tokens were taken back. */
export interface Revocations {
  /**
   * Takes back the tokens of a user, or of one device, that were issued before a moment: now, if left out.
   *
   * @returns the revocation, durable
   * @throws ServerError with code `invalid-argument`, or `store-unavailable` if it could not be stored
   */
  revoke: (uid: string, device?: string, before?: number) => Promise<Revocation>
  /** Which of these were taken back, in their order. */
  check: (accesses: readonly Access[]) => Promise<boolean[]>
  /** True if access was taken back a moment ago, perhaps while it was given. */
  wasJustRevoked: (access: Access) => boolean
  /** Calls a listener for each revocation of this node and of others, until the returned function is called. */
  subscribe: (listener: (revocation: Revocation) => void) => () => void
  /** Forgets revocations of tokens that nobody takes any more because of their age. */
  sweep: () => Promise<void>
  close: () => void
}

export interface RevocationsOptions {
  values: LogStore['values']
  /** Tells the other nodes, and hears of theirs. */
  bus?: Bus
  logger: Logger
  now?: () => number
}

const SCOPE: ValueScope = 'access'
/** The room under which nodes tell each other what is of no room: no room has an empty name. */
const NO_ROOM = ''
/** Who was asked for just before a revocation may be let in just after it: so long it is looked at once more. */
const RECENT_MS = 60_000
/** How many old revocations are forgotten at a time. */
const SWEEP_COUNT = 1_000
const MILLISECOND_DIGITS = 15

/** Creates {@link Revocations} that are kept beside the log. */
export function createRevocations({ values, bus, logger, now = Date.now }: RevocationsOptions): Revocations {
  const listeners = new Set<(revocation: Revocation) => void>()
  let recent: Array<Revocation & { readonly at: number }> = []
  /** One after the other: of two for the same tokens the later moment counts. */
  let writing: Promise<unknown> = Promise.resolve()

  const tell = (revocation: Revocation): void => {
    const at = now()
    recent = [...recent.filter((known) => known.at > at - RECENT_MS), { ...revocation, at }]
    for (const listener of listeners) listener(revocation)
  }
  const stopListening = bus?.subscribe(NO_ROOM, (message) => {
    if (message.type !== 'revoked') return
    const { uid, device, before } = message
    tell({ uid, ...(device === null ? {} : { device }), before })
  })

  const write = async (revocation: Revocation): Promise<Revocation> => {
    const name = nameOf(revocation.uid, revocation.device)
    const known = decode((await values.read(SCOPE, [name])).get(name))
    const kept = known && known.before > revocation.before ? known : revocation
    await values.write(
      SCOPE,
      new Map([
        [name, Buffer.from(JSON.stringify(kept))],
        [untilName(kept, name), new Uint8Array()],
      ]),
    )
    return kept
  }

  const wasJustRevoked = (access: Access): boolean =>
    recent.some((revocation) => isRevokedBy(access, revocation))
  const check: Revocations['check'] = async (accesses) => {
    const names = accesses.map(namesOf)
    const asked = [...new Set(names.flat())]
    const stored = asked.length > 0 ? await values.read(SCOPE, asked) : new Map<string, Uint8Array>()
    return accesses.map((access, index) => {
      const records = (names[index] ?? []).map((name) => decode(stored.get(name)))
      return wasJustRevoked(access) || records.some((record) => record && isRevokedBy(access, record))
    })
  }

  return {
    async revoke(uid, device, before = now()) {
      if (!isUid(uid)) throw invalid('uid', 'a string of 1 to 200 characters')
      if (device !== undefined && !isUid(device)) throw invalid('device', 'a string of 1 to 200 characters')
      if (!Number.isSafeInteger(before) || before < 0 || before > now())
        throw invalid('before', 'a time in milliseconds since 1970 that has passed')
      const asked = writing.then(() => write({ uid, ...(device === undefined ? {} : { device }), before }))
      writing = asked.catch(() => {})
      const revocation = await asked
      logger.info({ room: uid }, 'tokens were revoked')
      tell(revocation)
      bus?.publish(NO_ROOM, { type: 'revoked', uid, device: device ?? null, before: revocation.before })
      return revocation
    },
    check,
    wasJustRevoked,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async sweep() {
      for (let more = true; more; ) {
        const oldest = [...(await values.list(SCOPE, { prefix: 'until/', limit: SWEEP_COUNT })).keys()]
        const past = oldest.filter((entry) => Number(entry.split('/')[1]) < now())
        const names = past.map((entry) => entry.split('/')[2] ?? '')
        const stored = await values.read(SCOPE, names)
        const over = names.filter((name) => {
          const record = decode(stored.get(name))
          return !record || record.before + MAX_TOKEN_AGE_MS < now()
        })
        await values.write(SCOPE, new Map([...past, ...over].map((name) => [name, null])))
        more = past.length === SWEEP_COUNT
      }
    },
    close() {
      stopListening?.()
      listeners.clear()
    },
  }
}

/** True if access was given for a token that a revocation takes back. */
export function isRevokedBy(access: Access, { uid, device, before }: Revocation): boolean {
  if ((access.subject ?? access.uid) !== uid) return false
  if (device !== undefined && access.device !== device) return false
  return access.issuedAt !== undefined && access.issuedAt < before
}

/** The revocations that could be of a token: all of its user's, and of its device. */
function namesOf({ uid, subject, device, issuedAt }: Access): string[] {
  if (issuedAt === undefined) return []
  const user = subject ?? uid
  return device === undefined ? [nameOf(user)] : [nameOf(user), nameOf(user, device)]
}

/** Short and of plain letters, whatever users and devices are called: what a database takes as a key has an end. */
function nameOf(uid: string, device?: string): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, device ?? null]))
    .digest('hex')
}

function untilName({ before }: Revocation, name: string): string {
  return `until/${String(before + MAX_TOKEN_AGE_MS).padStart(MILLISECOND_DIGITS, '0')}/${name}`
}

function decode(bytes: Uint8Array | undefined): Revocation | null {
  return bytes ? (JSON.parse(Buffer.from(bytes).toString('utf8')) as Revocation) : null
}

function invalid(field: string, what: string): ServerError {
  return new ServerError('invalid-argument', `${field} must be ${what}`)
}
