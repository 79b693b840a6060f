import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Usage } from './measureProcess.js'
import { INGEST_TOKEN, JWT_SECRET, METRICS_TOKEN, WEBHOOK_TOKEN } from './tokens.js'

/** A `parley serve` process under test. */
export interface TestedServer {
  readonly url: string
  /** @throws Error if the process has ended */
  usage: () => Promise<Usage>
  /** True once the process has ended by itself. */
  readonly hasEnded: boolean
  stop: () => Promise<void>
}

// From `src` and from `dist` alike.
const MEASURE = new URL('../../../dist/budget/runner/measureProcess.js', import.meta.url)
const MAIN = fileURLToPath(new URL('../../../../apps/server/dist/main.js', import.meta.url))
const STOP_MS = 5_000

/** Creates a folder with a web page to serve. */
export async function createWebRoot(parent: string): Promise<string> {
  const web = join(parent, 'web')
  await mkdir(web)
  await writeFile(join(web, 'index.html'), '<!doctype html><title>Parley</title>')
  return web
}

/** Starts the built server on a free port with an empty data folder. */
export async function startTestedServer(auth: 'jwt' | 'open'): Promise<TestedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-budget-'))
  const web = await createWebRoot(folder)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARLEY_')))
  const secrets =
    auth === 'jwt'
      ? {
          PARLEY_JWT_SECRET: JWT_SECRET,
          PARLEY_INGEST_TOKEN: INGEST_TOKEN,
          PARLEY_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
          PARLEY_METRICS_TOKEN: METRICS_TOKEN,
        }
      : {}
  const child = spawn(
    process.execPath,
    [
      ...['--expose-gc', '--import', MEASURE.href, MAIN],
      ...['serve', '--port', '0', '--data', join(folder, 'data'), '--auth', auth, '--web', web],
    ],
    {
      env: { ...env, ...secrets, PARLEY_STOP_DELAY: '0', PARLEY_DRAIN: '0', PARLEY_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  let out = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    out += chunk
  })
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /Parley is at (http:\/\/\S+)/.exec(out)?.[1]
      if (found) resolve(found)
    })
    void ended.then(() => reject(new Error(`the server did not start: ${out}`)))
  })
  return {
    url,
    async usage() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the server has ended: ${out}`)
      const answered = once(child, 'message')
      child.send({})
      const [usage] = await Promise.race([
        answered,
        ended.then(() => {
          throw new Error(`the server has ended: ${out}`)
        }),
      ])
      return usage as Usage
    },
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null
    },
    async stop() {
      if (child.connected) child.disconnect()
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(force)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
