import * as buffer from 'lib0/buffer'
import * as sha256 from 'lib0/hash/sha256'
import * as string from 'lib0/string'
import type * as Y from 'yjs'
import { canonicalText } from '../json/canonicalJson.js'
import type { Json } from '../json/json.js'
import { type Coverage, type TextPart, textParts } from './coverage.js'

/** A piece of a formatted text, as Yjs and Quill write it: characters or an embed, and the formats on them. */
export interface DeltaInsert {
  readonly insert: Json
  readonly attributes?: Readonly<Record<string, Json>>
}

/** The text of a draft. */
export interface DraftBody {
  /** The characters alone, without formats and embeds. */
  readonly text: string
  /** Characters, formats and embeds; `null` if the text has neither formats nor embeds. */
  readonly delta: readonly DeltaInsert[] | null
}

/** What was added to a draft's text. */
export interface DraftExtras {
  /** The message it replies to, as the app wrote it; `null` if none. */
  readonly reply: Json
  /** By user id. */
  readonly mentions: Readonly<Record<string, Json>>
  /** By the id the app gave the attachment. */
  readonly attachments: Readonly<Record<string, Json>>
}

/** All that a draft consists of. */
export interface DraftContent extends DraftBody, DraftExtras {}

/** True if there is something to keep: more than white space, an embed, a reply, a mention or an attachment. */
export function hasContent(content: DraftContent): boolean {
  return canBeSent(content) || content.reply !== null || Object.keys(content.mentions).length > 0
}

/** True if there is something to send: more than white space, an embed or an attachment. */
export function canBeSent({ text, delta, attachments }: DraftContent): boolean {
  return text.trim() !== '' || (delta?.some(isEmbed) ?? false) || Object.keys(attachments).length > 0
}

function isEmbed({ insert }: DeltaInsert): boolean {
  return typeof insert !== 'string'
}

/** Reads a whole text. */
export function readBody(text: Y.Text): DraftBody {
  return collect(textParts(text))
}

/**
 * Reads the part of a text that is covered by some of `acts`, or by none of them.
 *
 * @param within leaves out what this does not cover
 */
export function readPart(
  text: Y.Text,
  acts: readonly Coverage[],
  which: 'covered' | 'uncovered',
  within?: Coverage,
): DraftBody {
  const parts = [...textParts(text, acts)].filter(
    ({ isCovered, client, from, to }) =>
      isCovered === (which === 'covered') &&
      (!within || (within.get(client)?.some((range) => range.from < to && from < range.to) ?? false)),
  )
  return collect(parts)
}

function collect(parts: Iterable<TextPart>): DraftBody {
  let text = ''
  const delta: Array<{ insert: Json; attributes?: Readonly<Record<string, Json>> }> = []
  let last = ''
  for (const { insert, attributes } of parts) {
    if (typeof insert === 'string') text += insert
    const formats = attributes ? canonicalText(attributes, 'attributes') : ''
    const previous = delta.at(-1)
    if (previous && typeof insert === 'string' && typeof previous.insert === 'string' && formats === last) {
      previous.insert += insert
    } else delta.push(attributes ? { insert, attributes } : { insert })
    last = formats
  }
  const isPlain = delta.every(({ insert, attributes }) => typeof insert === 'string' && !attributes)
  return { text, delta: isPlain ? null : delta }
}

/** Twelve letters and digits that stand for a content: the same for the same content, on every device. */
export function contentDigest(content: Json | DraftContent | DraftBody): string {
  const hash = buffer.toBase64UrlEncoded(sha256.digest(string.encodeUtf8(canonicalText(content, 'draft'))))
  return hash.replace(/[^a-zA-Z0-9]/g, '').slice(0, 12)
}
