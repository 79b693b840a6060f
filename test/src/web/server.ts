import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url))

/** The server as people run it, on a free port, with a data folder of its own. */
export interface RunningServer {
  readonly address: string
  stop: () => Promise<void>
}

/** Starts the built server with the built web app. */
export async function startServer(): Promise<RunningServer> {
  const data = await mkdtemp(join(tmpdir(), 'parley-web-'))
  const args = ['serve', '--port', '0', '--data', data, '--web', path('apps/web/dist')]
  const child = spawn(process.execPath, [path('apps/server/dist/main.js'), ...args])
  const address = await readAddress(child)
  return {
    address,
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await rm(data, { recursive: true, force: true })
    },
  }
}

function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const read = (chunk: Buffer): void => {
      printed += chunk.toString()
      const address = /http:\/\/[\d.]+:\d+/.exec(printed)?.[0]
      if (address) resolve(address)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${printed}`)))
  })
}
