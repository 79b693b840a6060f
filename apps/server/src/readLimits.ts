import { defaultLimits, type Limits, type Rate } from '@parley/server'
import { UsageError } from './usage.js'

/** Numbers and rates by the names of limits. */
type AnyLimits = Record<string, number | Rate>

/**
 * Reads limits such as `connectionsPerUser=20`, or `messagesPerUser=100/5000` for 100 a second and 5,000 at once. What is not
 * named keeps its default.
 *
 * @throws UsageError that names the limit
 */
export function readLimits(settings: readonly string[]): Partial<Limits> {
  const known: AnyLimits = { ...defaultLimits }
  const limits: AnyLimits = {}
  for (const setting of settings) {
    const [name = '', value = '', ...rest] = setting.split('=')
    const usual = Object.hasOwn(known, name) ? known[name] : undefined
    if (usual === undefined || rest.length > 0) {
      throw new UsageError(`PARLEY_LIMITS: there is no limit ${name}, but ${Object.keys(known).join(', ')}`)
    }
    limits[name] = typeof usual === 'number' ? readNumber(name, value) : readRate(name, value)
  }
  return limits
}

function readRate(name: string, value: string): Rate {
  const [perSecond = '', burst = '', ...rest] = value.split('/')
  if (burst === '' || rest.length > 0) {
    throw new UsageError(
      `PARLEY_LIMITS: ${name} must be so many a second and so many at once, such as 100/5000`,
    )
  }
  return { perSecond: readNumber(name, perSecond), burst: readNumber(name, burst) }
}

function readNumber(name: string, value: string): number {
  // More digits are more than numbers hold exactly, and more than anybody means.
  if (!/^[1-9]\d{0,14}$/.test(value)) {
    throw new UsageError(`PARLEY_LIMITS: ${name} must be a whole number above 0, not ${value}`)
  }
  return Number(value)
}
