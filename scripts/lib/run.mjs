import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

// Started as JavaScript files and not through node_modules/.bin, whose entries are shell scripts on Windows.
export const bin = {
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
  vite: 'apps/web/node_modules/vite/bin/vite.js',
  playwright: 'node_modules/playwright/cli.js',
  publint: 'node_modules/publint/src/cli.js',
  attw: 'node_modules/@arethetypeswrong/cli/dist/index.js',
  sizeLimit: 'node_modules/size-limit/bin.js',
  knip: 'node_modules/knip/bin/knip.js',
}

/** Runs a program with our own stdio and resolves to its exit code; one that runs out of time is 124. */
export function run(command, args, { timeoutMs, ...options } = {}) {
  // A program with a time limit leads a group of its own, so that what it started ends with it.
  const detached = timeoutMs !== undefined && process.platform !== 'win32'
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', detached, ...options })
    let timedOut = false
    const kill = (signal) => {
      try {
        if (detached) process.kill(-child.pid, signal)
        else child.kill(signal)
      } catch {
        // It has ended already.
      }
    }
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            kill('SIGTERM')
            setTimeout(() => kill('SIGKILL'), 5000).unref()
          }, timeoutMs)
    // Ctrl-C reaches the terminal's own group by itself: this process waits for the child's orderly end.
    const forward = (signal) => {
      if (detached || signal === 'SIGTERM') kill(signal)
    }
    process.on('SIGINT', forward)
    process.on('SIGTERM', forward)
    const done = (code) => {
      clearTimeout(timer)
      process.off('SIGINT', forward)
      process.off('SIGTERM', forward)
      resolve(timedOut ? 124 : code)
    }
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`)
      done(127)
    })
    child.on('close', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

/** Runs one of the tools above with this Node. */
export function runTool(name, args, options) {
  const file = join(root, bin[name])
  if (!existsSync(file)) {
    console.error(`${bin[name]} is missing: run \`npx --yes pnpm@12.21.0 install\` first.`)
    return Promise.resolve(127)
  }
  return run(process.execPath, [file, ...args], options)
}

/** Runs steps one after the other and exits with the code of the first that fails. */
export async function steps(...list) {
  for (const step of list) {
    const code = await step()
    if (code !== 0) process.exit(code)
  }
}
