// Finds the PostgreSQL and the Redis that tests use, or starts some of their own. Those that were started end with the
// tests; their data lie in a folder that goes with them.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { installPackages } from './lib/apt.mjs'
import { root } from './lib/run.mjs'

const DEFAULTS = {
  PARLEY_TEST_DATABASE_URL: 'postgres://postgres@127.0.0.1:5432/test',
  PARLEY_TEST_REDIS_URL: 'redis://127.0.0.1:6379',
}
const APT_PACKAGES = ['postgresql', 'redis-server']
const PROBE_TIMEOUT_MS = 3_000
/** A cold disk makes PostgreSQL's first start slow. */
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000

const HOW = `PostgreSQL at ${DEFAULTS.PARLEY_TEST_DATABASE_URL} and Redis at ${DEFAULTS.PARLEY_TEST_REDIS_URL}, or elsewhere as PARLEY_TEST_DATABASE_URL and PARLEY_TEST_REDIS_URL say; with CI=true they are installed from Debian and started`

// The servers' own clients, as @parley/server has them.
const require = createRequire(join(root, 'packages/server/package.json'))

/** Why a PostgreSQL cannot be used, or null. */
async function databaseFault(connectionString) {
  const { Client } = require('pg')
  const client = new Client({ connectionString, connectionTimeoutMillis: PROBE_TIMEOUT_MS })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query(
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off'",
    )
    return rows.length > 0 ? `${rows.map(({ name }) => name).join(' and ')} is off` : null
  } catch (error) {
    return reasonOf(error)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Why a Redis cannot be used, or null. */
async function redisFault(url) {
  const { Redis } = require('ioredis')
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PROBE_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  let fault = null
  redis.on('error', (error) => {
    fault ??= reasonOf(error)
  })
  try {
    await redis.connect()
    await redis.ping()
    return null
  } catch (error) {
    return fault ?? reasonOf(error)
  } finally {
    redis.disconnect()
  }
}

function reasonOf(error) {
  return error.message || error.code || String(error)
}

const FAULT = { PARLEY_TEST_DATABASE_URL: databaseFault, PARLEY_TEST_REDIS_URL: redisFault }

/**
 * Looks whether PostgreSQL and Redis answer where they are said or usually to be.
 * @returns {Promise<{ env: Record<string, string>, missing: string[] }>} the addresses of those that do, and what is said
 * of those that do not
 */
export async function findServices() {
  const env = {}
  const missing = []
  for (const [name, fault] of Object.entries(FAULT)) {
    const url = process.env[name] || DEFAULTS[name]
    const why = await fault(url)
    if (why === null) env[name] = url
    else missing.push(`${withoutPassword(url)} (${why})`)
  }
  return { env, missing }
}

function withoutPassword(url) {
  return url.replace(/:[^:/@]*@/, '@')
}

/** What is said when tests are left out. */
export function leftOutLine(missing) {
  return `Left out: the tests in *.services.test.ts, for there is no ${missing.join(' and no ')}. They need ${HOW}.`
}

/** Where a program of the packages lies; Debian keeps PostgreSQL's own off the PATH. */
function findProgram(name) {
  const folder = '/usr/lib/postgresql'
  const versions = existsSync(folder) ? readdirSync(folder).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(folder, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.map((dir) => join(dir, name)).find((file) => existsSync(file))
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** What starts a program so that it ends with this process, however that ends; Linux has something for it. */
function tied(signal, ...options) {
  const setpriv = findProgram('setpriv')
  return setpriv === undefined ? [] : [setpriv, `--pdeathsig=${signal}`, ...options]
}

/** Whom PostgreSQL runs as, which refuses root: Debian's user for it, or whoever this is. */
function postgresUser() {
  if (process.getuid?.() !== 0) return { options: [], own: () => {} }
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const [uid, gid] = [id('-u'), id('-g')]
  return {
    options: [`--reuid=${uid}`, `--regid=${gid}`, '--init-groups'],
    own: (folder) => chownSync(folder, uid, gid),
  }
}

/** Starts a program that runs until it is stopped, and waits until `fault` has nothing to say. */
async function startProgram([command, ...args], stopSignal, fault) {
  // A group of its own: Ctrl-C in a terminal must not take it from under the tests.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true, cwd: '/' })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4000)
  })
  let ended = null
  const exited = new Promise((resolve) => {
    child.on('error', (error) => {
      ended = error.message
      resolve()
    })
    child.on('exit', (code, signal) => {
      ended = `ended with ${code ?? signal}`
      resolve()
    })
  })
  const stop = async () => {
    if (ended !== null) return
    child.kill(stopSignal)
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(killer)
  }
  const end = Date.now() + START_TIMEOUT_MS
  for (let why = 'is not started'; why !== null; ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    why = ended ?? (await fault())
    if (why === null) break
    if (ended !== null || Date.now() > end) {
      await stop()
      throw new Error(`${command} did not start: ${why}\n${said}`)
    }
  }
  return stop
}

async function startPostgres(folder) {
  const [initdb, postgres] = ['initdb', 'postgres'].map(findProgram)
  if (initdb === undefined || postgres === undefined) throw new Error('PostgreSQL is not installed')
  const { options, own } = postgresUser()
  // SIGINT is its fast shutdown, which does not wait for clients.
  const start = tied('INT', ...options)
  const data = join(folder, 'postgres')
  mkdirSync(data, { mode: 0o700 })
  own(data)
  const init = [
    ...start,
    initdb,
    '-D',
    data,
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
  ]
  execFileSync(init[0], init.slice(1), {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
    timeout: START_TIMEOUT_MS,
  })
  const port = await freePort()
  // Its Unix socket too lies among the data.
  const settings = ['-D', data, '-p', String(port), '-k', data, '-c', 'listen_addresses=127.0.0.1']
  const admin = `postgres://postgres@127.0.0.1:${port}/postgres`
  const stop = await startProgram([...start, postgres, ...settings], 'SIGINT', () => databaseFault(admin))
  const { Client } = require('pg')
  const client = new Client(admin)
  await client.connect()
  await client.query('create database test')
  await client.end()
  return { url: `postgres://postgres@127.0.0.1:${port}/test`, stop }
}

async function startRedis(folder) {
  const program = findProgram('redis-server')
  if (program === undefined) throw new Error('Redis is not installed')
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const args = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  return {
    url,
    stop: await startProgram([...tied('TERM'), program, ...args], 'SIGTERM', () => redisFault(url)),
  }
}

const START = { PARLEY_TEST_DATABASE_URL: startPostgres, PARLEY_TEST_REDIS_URL: startRedis }
const PROGRAMS = { PARLEY_TEST_DATABASE_URL: ['initdb', 'postgres'], PARLEY_TEST_REDIS_URL: ['redis-server'] }

/**
 * PostgreSQL and Redis: those that run, else some that are installed and started on free ports. Child processes find
 * them in PARLEY_TEST_DATABASE_URL and PARLEY_TEST_REDIS_URL.
 * @returns {Promise<() => Promise<void>>} stops what was started
 */
export async function ensureServices() {
  const { env } = await findServices()
  const stops = []
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one()
  }
  try {
    const wanted = Object.keys(START).filter((name) => env[name] === undefined)
    const programs = wanted.flatMap((name) => PROGRAMS[name])
    if (programs.some((name) => findProgram(name) === undefined)) await installPackages(APT_PACKAGES)
    if (wanted.length > 0) {
      const folder = mkdtempSync(join(tmpdir(), 'parley-services-'))
      // PostgreSQL's user must get to its data.
      execFileSync('chmod', ['711', folder])
      stops.push(async () => rmSync(folder, { recursive: true, force: true }))
      for (const name of wanted) {
        const started = await START[name](folder)
        stops.push(started.stop)
        env[name] = started.url
        console.log(`Started for the tests: ${started.url}`)
      }
    }
  } catch (error) {
    await stop()
    throw new Error(`${error.message}\nThe tests need ${HOW}.`)
  }
  Object.assign(process.env, env)
  return stop
}
