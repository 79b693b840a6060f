import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ParleyError } from '@parley/core'
import pLimit from 'p-limit'
import { ServerError } from '../errors.js'
import type { Logger } from '../logger.js'
import { guardLogger } from '../observe/guardLogger.js'
import type { Admin } from './admin.js'

/** How the command line reaches the server that has the data folder open. */
export interface ControlServer {
  /** The path of the Unix socket. */
  readonly path: string
  /** May be called twice. */
  close: () => Promise<void>
}

export interface ControlServerOptions {
  admin: Admin
  /** The data folder. */
  folder: string
  logger: Logger
}

/** In the data folder: where the socket is. */
export const CONTROL_FILE = 'control.json'
const SOCKET_FILE = 'control.sock'
/** The shortest limit among the systems: macOS holds 104 bytes with the NUL. */
const MAX_SOCKET_PATH_BYTES = 103
/** How long commands that are under way may take to finish when it closes. */
const CLOSE_TIMEOUT_MS = 5_000
/** How often a data folder that cannot be written to is tried again. */
const ANNOUNCE_INTERVAL_MS = 5_000
const MAX_FILE_BYTES = 512 * 1024 * 1024

/**
 * Opens a Unix socket that only the owner of the process can use, and takes the operator's commands there. It lies in the
 * data folder, or if that path is too long for a socket in a folder of its own among the temporary files.
 */
export async function openControlServer({
  admin,
  folder,
  ...options
}: ControlServerOptions): Promise<ControlServer> {
  const logger = guardLogger(options.logger)
  const near = join(folder, SOCKET_FILE)
  const elsewhere =
    Buffer.byteLength(near) > MAX_SOCKET_PATH_BYTES ? await mkdtemp(join(tmpdir(), 'parley-')) : null
  const path = elsewhere === null ? near : join(elsewhere, SOCKET_FILE)
  // What is there was left by a process that is gone: this one has the folder's lock.
  await rm(path, { force: true })

  // Commands that change something wait for each other.
  const oneAtATime = pLimit(1)
  const server = createServer((request, response) => {
    const run = (): Promise<void> => answer(admin, request, response)
    const done = request.method === 'GET' ? run() : oneAtATime(run)
    done.catch((error) => {
      logger.error({ err: error }, 'a command failed')
      send(response, 500, { code: 'internal', message: 'The command failed; see the log of the server' })
    })
  })
  // The system creates the socket by the mask of the process: made private afterwards it would be open for a moment.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(mask)
  }
  await chmod(path, 0o600)
  const announce = (): Promise<void> =>
    writeFile(join(folder, CONTROL_FILE), JSON.stringify({ socket: path, pid: process.pid }), { mode: 0o600 })
  let retry: NodeJS.Timeout | undefined
  await announce().catch((error: unknown) => {
    // A full disk is no reason not to serve what is on it.
    logger.error({ err: error }, 'commands cannot find the server until its data folder can be written to')
    retry = setInterval(() => {
      announce().then(
        () => clearInterval(retry),
        () => {},
      )
    }, ANNOUNCE_INTERVAL_MS)
    retry.unref()
  })

  let closing: Promise<void> | null = null
  return {
    path,
    close() {
      closing ??= (async () => {
        clearInterval(retry)
        await new Promise((resolve) => {
          server.close(resolve)
          server.closeIdleConnections()
          setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS).unref()
        })
        await rm(join(folder, CONTROL_FILE), { force: true })
        await rm(elsewhere ?? path, { force: true, recursive: true })
      })()
      return closing
    },
  }
}

async function answer(admin: Admin, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control')
  const uid = searchParams.get('uid') ?? ''
  try {
    switch (`${request.method} ${pathname}`) {
      case 'POST /import':
        return send(response, 200, await admin.import(uid === '' ? null : uid, await readBody(request)))
      case 'GET /export':
        return send(response, 200, await admin.exportFile(uid))
      case 'GET /inspect':
        return send(response, 200, await admin.inspect(uid))
      case 'POST /revoke': {
        const [device, before] = [searchParams.get('device'), searchParams.get('before')]
        await admin.revoke(uid, device ?? undefined, before === null ? undefined : Number(before))
        return send(response, 200, {})
      }
      case 'POST /forget':
        return send(response, 200, await admin.forget(uid))
      case 'GET /verify':
        return send(response, 200, await admin.verify())
      case 'POST /backup':
        return send(response, 200, await admin.backup(await readBody(request)))
      case 'GET /hello':
        return send(response, 200, {})
      default:
        return send(response, 404, { code: 'not-found', message: `The server knows no command ${pathname}` })
    }
  } catch (error) {
    if (!(error instanceof ParleyError || error instanceof ServerError)) throw error
    send(response, 400, { code: error.code, message: error.message })
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_FILE_BYTES)
      throw new ServerError('too-large', `The file is larger than ${MAX_FILE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, status: number, body: object | null): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
