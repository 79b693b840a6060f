/** Where a listing stands: handed out as opaque text. */
export interface ListCursor {
  /** What is older than this the client has. */
  readonly version: number
}

const PREFIX = 'v'

/** Writes a cursor. */
export function encodeCursor({ version }: ListCursor): string {
  return Buffer.from(`${PREFIX}${version}`).toString('base64url')
}

/** Reads a cursor; the empty text is the beginning, `null` is none of ours. */
export function decodeCursor(text: string): ListCursor | null {
  if (text === '') return { version: 0 }
  const match = /^v(\d{1,16})$/.exec(Buffer.from(text, 'base64url').toString())
  const version = Number(match?.[1])
  return match && Number.isSafeInteger(version) ? { version } : null
}
