import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Json } from '@parley/core'
import { ServerError, type ServerErrorCode } from '../errors.js'
import type { Admin, Exported, ImportSummary, Inspection } from './admin.js'
import type { BackupManifest } from './backup/format.js'
import { CONTROL_FILE } from './controlServer.js'
import type { ForgetSummary } from './forget.js'
import type { VerifyReport } from './repair/verify.js'

/** What a connection fails with if nobody listens at a socket, or it is not there. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT'])

/** How long to wait for a server, in milliseconds. */
export interface ConnectOptions {
  /** For an answer that needs no work: a server that does not give it hangs. It is asked for again while a command is under way. */
  readonly aliveMs?: number
  /** For the answer to a command. */
  readonly commandMs?: number
}

const ALIVE_MS = 20_000
const COMMAND_MS = 600_000

/**
 * Connects to the server that has a data folder open; `null` if there is none.
 *
 * @throws ServerError with code `store-unavailable` if there is one that does not answer in time; calls of the result as well
 */
export async function connectToServer(
  folder: string,
  { aliveMs = ALIVE_MS, commandMs = COMMAND_MS }: ConnectOptions = {},
): Promise<Admin | null> {
  const control = await findControl(folder)
  if (control === null) return null
  const { socketPath } = control
  const server = `The server of ${folder}${control.pid === undefined ? '' : `, process ${control.pid},`}`
  const isAlive = (): Promise<Json> => send(socketPath, 'GET', '/hello', AbortSignal.timeout(aliveMs))
  const call = (
    method: string,
    command: string,
    uid: string,
    { body, ...rest }: { body?: string; device?: string; before?: string } = {},
  ): Promise<Json> => {
    const path = `/${command}?${new URLSearchParams({ uid, ...rest })}`
    return whileAlive(
      (signal) => send(socketPath, method, path, signal, body),
      async () => {
        await isAlive().catch((cause) => {
          throw hangs(cause)
        })
      },
    )
  }
  const hangs = (cause: unknown): ServerError =>
    new ServerError(
      'store-unavailable',
      `${server} has not answered for ${aliveMs / 1000} s; it hangs. Look into its log, or stop it and run the command again`,
      { cause },
    )
  const whileAlive = async (
    run: (signal: AbortSignal) => Promise<Json>,
    check: () => Promise<void>,
  ): Promise<Json> => {
    const controller = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const watch = new Promise<never>((_, reject) => {
      const look = (): void => {
        timer = setTimeout(() => void check().then(look, reject), aliveMs)
      }
      look()
    })
    let limit: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(() => {
        reject(
          new ServerError(
            'store-unavailable',
            `${server} has not finished the command within ${commandMs / 1000} s. It may finish it yet; PARLEY_COMMAND_TIMEOUT sets how many seconds to wait`,
          ),
        )
      }, commandMs)
    })
    try {
      return await Promise.race([run(controller.signal), watch, late])
    } finally {
      clearTimeout(timer)
      clearTimeout(limit)
      controller.abort()
    }
  }
  try {
    await isAlive()
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOBODY.has(String(error.code))) return null
    throw hangs(error)
  }
  const exportFile = async (uid: string): Promise<Exported> =>
    (await call('GET', 'export', uid)) as unknown as Exported
  return {
    import: async (uid, file) =>
      (await call('POST', 'import', uid ?? '', { body: file })) as unknown as ImportSummary,
    async export(uid) {
      const { userId, conversations, cursors } = (await exportFile(uid)).file
      return { userId, conversations, cursors }
    },
    exportFile,
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

async function findControl(
  folder: string,
): Promise<{ readonly socketPath: string; readonly pid: number | undefined } | null> {
  try {
    const { socket, pid } = JSON.parse(await readFile(join(folder, CONTROL_FILE), 'utf8')) as {
      socket?: unknown
      pid?: unknown
    }
    if (typeof socket !== 'string') return null
    return { socketPath: socket, pid: typeof pid === 'number' ? pid : undefined }
  } catch {
    // No such file, or one that was cut off when its server died.
    return null
  }
}

function send(
  socketPath: string,
  method: string,
  path: string,
  signal: AbortSignal,
  body?: string,
): Promise<Json> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, signal }, (response) => {
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
