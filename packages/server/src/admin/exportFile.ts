import { createStore, decodeUpdate, type ExportedState, findGap, type Json, ParleyError } from '@parley/core'
import * as Y from 'yjs'
import { canonicalText } from './canonicalText.js'

/** What `parley export` prints and `parley import` takes: all there is of a user. */
export interface ExportFile extends ExportedState {
  readonly format: typeof EXPORT_FORMAT
  readonly formatVersion: typeof EXPORT_FORMAT_VERSION
  /** The document as one Yjs update in base64: it holds all that the other members say, and what they do not. */
  readonly document: string
  /** The newest messages of each conversation that an IM server brought, by the names of the values that keep them, in base64. */
  readonly recents: Readonly<Record<string, string>>
}

/** An {@link ExportFile} that was read. */
export interface ReadExportFile {
  readonly userId: string
  readonly update: Uint8Array
  readonly recents: ReadonlyMap<string, Uint8Array>
  readonly conversations: number
}

export const EXPORT_FORMAT = 'parley-export'
export const EXPORT_FORMAT_VERSION = 1
/** What the names of the values begin with that keep the newest messages. */
export const RECENTS_PREFIX = 'recents/'

const MEMBERS = ['conversations', 'cursors', 'document', 'format', 'formatVersion', 'recents', 'userId']

/** Writes all there is of a user. The same document gives the same file. */
export function writeExportFile(
  userId: string,
  update: Uint8Array,
  recents: ReadonlyMap<string, Uint8Array>,
): ExportFile {
  const document = settled(update)
  return {
    format: EXPORT_FORMAT,
    formatVersion: EXPORT_FORMAT_VERSION,
    ...stateOf(userId, document),
    document: toBase64(document),
    recents: Object.fromEntries([...recents].map(([name, value]) => [name, toBase64(value)])),
  }
}

/**
 * Reads an {@link ExportFile}; `null` for a file of another kind.
 *
 * @throws ParleyError with code `invalid-argument` that names the member
 */
export function readExport(text: string): ReadExportFile | null {
  let value: Json
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, '')) as Json
  } catch {
    // Messages, one a line; or what the reader of other files has to say.
    return null
  }
  if (!isObject(value)) return null
  const isExport = 'format' in value || 'document' in value || ('userId' in value && 'cursors' in value)
  return isExport ? readExportFile(value) : null
}

/**
 * Reads an {@link ExportFile}, and makes sure that the document says what the rest of the file says: a file that was changed
 * by hand would otherwise be taken in without the changes.
 *
 * @throws ParleyError with code `invalid-argument` that names the member, as in `conversations[3].pin`
 */
function readExportFile(value: { readonly [name: string]: Json }): ReadExportFile {
  if (value.format !== EXPORT_FORMAT) {
    refuse(
      'format',
      value.format === undefined
        ? `${EXPORT_FORMAT}; a file of parley export --readable cannot be imported`
        : EXPORT_FORMAT,
    )
  }
  if (value.formatVersion !== EXPORT_FORMAT_VERSION) {
    refuse('formatVersion', `${EXPORT_FORMAT_VERSION}, which is what this version reads`)
  }
  for (const name of Object.keys(value)) {
    if (!MEMBERS.includes(name)) refuse(name, 'left out: an export has no such member')
  }
  const { userId } = value
  if (typeof userId !== 'string' || userId === '') refuse('userId', 'a user')
  const update = readBytes(value.document, 'document')
  const said = JSON.parse(canonicalText(stateOf(userId, checkUpdate(update)))) as Json
  const { conversations, cursors } = value
  const difference = firstDifference(
    { userId, conversations: conversations ?? null, cursors: cursors ?? null },
    said,
    '',
  )
  if (difference !== null) {
    refuse(difference, 'as the document of the file says it: a change by hand is not taken in')
  }
  const recents = new Map<string, Uint8Array>()
  if (!isObject(value.recents)) refuse('recents', 'an object')
  for (const [name, bytes] of Object.entries(value.recents)) {
    if (!name.startsWith(RECENTS_PREFIX))
      refuse(`recents[${JSON.stringify(name)}]`, 'the name of a kept message')
    recents.set(name, readBytes(bytes, `recents[${JSON.stringify(name)}]`))
  }
  return { userId, update, recents, conversations: Array.isArray(conversations) ? conversations.length : 0 }
}

/** A document as it is when it was loaded from one update: what it went through before leaves no trace. */
function settled(update: Uint8Array): Uint8Array {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  const again = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  return again
}

function stateOf(userId: string, update: Uint8Array): ExportedState {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  const store = createStore({ userId, doc })
  try {
    return store.export()
  } finally {
    store.close()
    doc.destroy()
  }
}

function checkUpdate(update: Uint8Array): Uint8Array {
  const doc = new Y.Doc()
  try {
    if (findGap(doc, decodeUpdate(update))) refuse('document', 'complete; it builds on what is not in it')
    return update
  } catch (error) {
    if (error instanceof ParleyError && error.message.startsWith('document ')) throw error
    return refuse('document', 'a Yjs update that can be applied')
  } finally {
    doc.destroy()
  }
}

/** Where two values differ first, as a path; `null` if they do not. */
function firstDifference(given: Json, said: Json, path: string): string | null {
  if (Array.isArray(given) && Array.isArray(said)) {
    for (let index = 0; index < Math.max(given.length, said.length); index++) {
      const at = `${path}[${index}]`
      if (index >= given.length || index >= said.length) return at
      const found = firstDifference(given[index] as Json, said[index] as Json, at)
      if (found !== null) return found
    }
    return null
  }
  if (isObject(given) && isObject(said)) {
    for (const name of [...new Set([...Object.keys(given), ...Object.keys(said)])].sort()) {
      const at = path === '' ? name : `${path}.${name}`
      if (!Object.hasOwn(given, name) || !Object.hasOwn(said, name)) return at
      const found = firstDifference(given[name] as Json, said[name] as Json, at)
      if (found !== null) return found
    }
    return null
  }
  return given === said ? null : path
}

function readBytes(value: Json | undefined, field: string): Uint8Array {
  if (typeof value !== 'string') return refuse(field, 'bytes in base64')
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length === 0 || toBase64(bytes) !== value) refuse(field, 'bytes in base64')
  return new Uint8Array(bytes)
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(field: string, expectation: string): never {
  throw new ParleyError('invalid-argument', `${field} must be ${expectation}`, { field })
}
