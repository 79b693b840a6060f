import { checkId } from '../conversation/channel.js'
import { normalizeVersion, type Version } from '../lattice/version.js'
import type { StoreCore } from './core.js'

/** The subject of what is said about the document as a whole. */
export const DOCUMENT_SUBJECT = 'u:'

/** How far the providers were followed. All devices of the user share it, with what came from there. */
export interface Cursors {
  /** The greatest version seen of a provider, 0 if none. */
  get: (provider: string) => Version
  /**
   * Notes a version; a smaller one than before changes nothing. In one transaction with what it stands for, no device has
   * the one without the other.
   *
   * @throws ParleyError with code `invalid-argument`
   */
  advance: (provider: string, version: number | string | bigint) => void
}

/** Creates the cursors of a document. */
export function createCursors(core: StoreCore): Cursors {
  return {
    get: (provider) =>
      (core.log.index.get(DOCUMENT_SUBJECT, `cursor.${provider}`)?.stamp[0] as Version | undefined) ?? 0,
    advance(provider, version) {
      checkId(provider, 'provider')
      const next = normalizeVersion(version, 'version')
      core.transact((writer) => writer.put(DOCUMENT_SUBJECT, `cursor.${provider}`, [next]))
    },
  }
}
