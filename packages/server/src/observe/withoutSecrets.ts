/** Shorter than any token worth its name, longer than words. */
const SECRET_CHARACTERS = 32
const SECRET = new RegExp(`[\\w.+=~-]{${SECRET_CHARACTERS},}`, 'g')
/** The rest of a longer text says nothing more to whoever reads a log. */
const MAX_CHARACTERS = 300

/** A text as it may be logged: cut, on one line, and without what looks like a token. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET, '…').replace(/\s+/g, ' ').slice(0, MAX_CHARACTERS)
}
