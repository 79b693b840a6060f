import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import type { ExportedState, Json } from '@parley/core'
import { ServerError, type ServerErrorCode } from '../errors.js'
import type { Admin, ImportSummary, Inspection } from './admin.js'
import type { BackupManifest } from './backup/format.js'
import { CONTROL_FILE } from './controlServer.js'
import type { ForgetSummary } from './forget.js'
import type { VerifyReport } from './repair/verify.js'

/** What a connection fails with if nobody listens at a socket, or it is not there. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT'])

/**
 * Connects to the server that has a data folder open; `null` if there is none.
 *
 * @throws ServerError with code `store-unavailable` if there is one that does not answer
 */
export async function connectToServer(folder: string): Promise<Admin | null> {
  const socketPath = await findSocket(folder)
  if (socketPath === null) return null
  const call = (
    method: string,
    command: string,
    uid: string,
    { body, ...rest }: { body?: string; device?: string; before?: string } = {},
  ): Promise<Json> => send(socketPath, method, `/${command}?${new URLSearchParams({ uid, ...rest })}`, body)
  try {
    await call('GET', 'hello', '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOBODY.has(String(error.code))) return null
    throw new ServerError('store-unavailable', `The server of ${folder} does not answer`, { cause: error })
  }
  return {
    import: async (uid, file) =>
      (await call('POST', 'import', uid, { body: file })) as unknown as ImportSummary,
    export: async (uid) => (await call('GET', 'export', uid)) as unknown as ExportedState,
    async revoke(uid, device, before) {
      await call('POST', 'revoke', uid, {
        ...(device === undefined ? {} : { device }),
        ...(before === undefined ? {} : { before: String(before) }),
      })
    },
    inspect: async (uid) => (await call('GET', 'inspect', uid)) as unknown as Inspection | null,
    forget: async (uid) => (await call('POST', 'forget', uid)) as unknown as ForgetSummary,
    verify: async () => (await call('GET', 'verify', '')) as unknown as VerifyReport,
    backup: async (path) => (await call('POST', 'backup', '', { body: path })) as unknown as BackupManifest,
  }
}

async function findSocket(folder: string): Promise<string | null> {
  try {
    const { socket } = JSON.parse(await readFile(join(folder, CONTROL_FILE), 'utf8')) as { socket?: unknown }
    return typeof socket === 'string' ? socket : null
  } catch {
    // No such file, or one that was cut off when its server died.
    return null
  }
}

function send(socketPath: string, method: string, path: string, body?: string): Promise<Json> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        try {
          const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json
          if (response.statusCode === 200) resolve(answer)
          else reject(toError(answer))
        } catch (cause) {
          reject(
            new ServerError('store-unavailable', 'The server gave no answer that can be read', { cause }),
          )
        }
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

function toError(answer: Json): ServerError {
  const { code, message } = answer as { code?: ServerErrorCode; message?: string }
  return new ServerError(code ?? 'store-unavailable', message ?? 'The command failed')
}
