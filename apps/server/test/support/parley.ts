import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
export const DATA = fileURLToPath(new URL('../../../../test/data/ubuntu-irc/', import.meta.url))

/** A folder that is gone when the test ends. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** Runs the built command to its end. */
export async function parley(
  args: string[],
  options: { env?: Record<string, string>; input?: string; cwd?: string } = {},
): Promise<Ran> {
  const child = start(args, options)
  child.stdin?.end(options.input ?? '')
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, out, err }
}

export interface Serving {
  child: ChildProcess
  url: string
  room: (uid: string) => string
  /** What it wrote to standard error. */
  log: () => string
  /** Ends the process and waits until it is gone; returns its exit code or the signal. */
  stop: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals | null>
}

/** Starts `parley serve` as a process of its own and waits until it listens. */
export async function serve(
  data: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Serving> {
  const child = start(['serve', '--port', '0', '--data', data, ...args], { env })
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const url = await new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout?.on('data', (chunk) => {
      out += chunk
      const found = /Parley is at (https?:\/\/\S+)/.exec(out)?.[1]
      if (found) resolve(found)
    })
    void ended.then((code) => reject(new Error(`it ended with ${code}: ${log}`)))
  })
  return {
    child,
    url,
    room: (uid) => `${url.replace('http', 'ws')}/sync/${encodeURIComponent(uid)}`,
    log: () => log,
    stop(signal) {
      child.kill(signal)
      return ended
    },
  }
}

function start(
  args: string[],
  { env = {}, cwd }: { env?: Record<string, string>; cwd?: string },
): ChildProcess {
  // Only the variables a test names: those of whoever runs the tests must not change what it sees.
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('PARLEY_')),
  )
  return spawn(process.execPath, [MAIN, ...args], {
    env: { ...clean, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
}
