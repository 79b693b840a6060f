const DAY_MS = 86_400_000

/** When something happened, as short as a list has room for: a time today, a day this week, a date before that. */
export function formatRowTime(timestamp: number, now: number, locale?: string): string {
  if (timestamp === 0) return ''
  const days = daysBetween(timestamp, now)
  const date = new Date(timestamp)
  if (days <= 0) return date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })
  if (days === 1) return relativeDay(-1, locale)
  if (days < 7) return date.toLocaleDateString(locale, { weekday: 'short' })
  return date.toLocaleDateString(locale, dateStyle(date, now))
}

/** The day that messages are grouped under. */
export function formatDay(timestamp: number, now: number, locale?: string): string {
  const days = daysBetween(timestamp, now)
  if (days === 0 || days === 1) return relativeDay(-days, locale)
  const date = new Date(timestamp)
  return date.toLocaleDateString(locale, { weekday: 'long', ...dateStyle(date, now), month: 'long' })
}

/** The time of day of a message. */
export function formatClock(timestamp: number, locale?: string): string {
  return new Date(timestamp).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })
}

/** How long ago something happened, in the largest unit that fits. */
export function formatAgo(timestamp: number, now: number, locale?: string): string {
  const seconds = Math.max(0, Math.round((now - timestamp) / 1000))
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), 'minute')
  if (seconds < 86_400) return format.format(-Math.floor(seconds / 3600), 'hour')
  return format.format(-Math.floor(seconds / 86_400), 'day')
}

/** True if two moments are on the same day here. */
export function isSameDay(a: number, b: number): boolean {
  return daysBetween(a, b) === 0
}

function dateStyle(date: Date, now: number): Intl.DateTimeFormatOptions {
  const sameYear = date.getFullYear() === new Date(now).getFullYear()
  return sameYear ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' }
}

/** Midnights between two moments; days of 23 or 25 hours count as one. */
function daysBetween(earlier: number, later: number): number {
  return Math.round((midnight(later) - midnight(earlier)) / DAY_MS)
}

function midnight(timestamp: number): number {
  return new Date(timestamp).setHours(0, 0, 0, 0)
}

function relativeDay(days: number, locale: string | undefined): string {
  const text = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day')
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1)
}
