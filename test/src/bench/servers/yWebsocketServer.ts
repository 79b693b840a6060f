import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'

/** The server that people use with y-websocket, as its package starts it. */
export interface YWebsocketServer {
  /** Such as `ws://127.0.0.1:1234`; the name of a document follows. */
  readonly url: string
  readonly pid: number
  stop: () => Promise<void>
}

export interface YWebsocketServerOptions {
  folder?: string
  nodeFlags?: readonly string[]
}

const HOST = '127.0.0.1'
const MANIFEST = '@y/websocket-server/package.json'

/** Starts `@y/websocket-server`, with y-leveldb in a folder, or with no store at all. */
export async function startYWebsocketServer({
  folder,
  nodeFlags = [],
}: YWebsocketServerOptions = {}): Promise<YWebsocketServer> {
  const port = await freePort()
  const script = join(dirname(createRequire(import.meta.url).resolve(MANIFEST)), 'src/server.js')
  const store = folder === undefined ? {} : { YPERSISTENCE: folder }
  const child = spawn(process.execPath, [...nodeFlags, script], {
    env: { ...process.env, HOST, PORT: String(port), ...store },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await whenRunning(child)
  return {
    url: `ws://${HOST}:${port}`,
    pid: child.pid as number,
    async stop() {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function whenRunning(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('running at')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`@y/websocket-server ended with ${code}`)))
  })
}
