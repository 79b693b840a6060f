import { createHmac } from 'node:crypto'

/** The secrets of the servers under test. */
export const JWT_SECRET = 'a secret of the budget suite, 40 bytes long'
export const INGEST_TOKEN = 'ingest-token-of-the-budget-suite'
export const WEBHOOK_TOKEN = 'webhook-token-of-the-budget-suite'
export const METRICS_TOKEN = 'metrics-token-of-the-budget-suite'

const LIFETIME_S = 3600

/** Signs a token for a user, with further claims. */
export function signToken(uid: string, parley?: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: uid, iat: now - 1, exp: now + LIFETIME_S, ...(parley ? { parley } : {}) }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}
