// Finds a Chromium for the browser tests or installs one; a machine without one fails, it never skips.
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installPackages } from './lib/apt.mjs'
import { runTool } from './lib/run.mjs'

const PROBE_TIMEOUT_MS = 20_000
const PLAYWRIGHT_INSTALL_TIMEOUT_MS = 240_000

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const APT_PACKAGES = ['chromium', 'fonts-noto-color-emoji', 'fonts-liberation']

const HOW = `No Chromium was found and none could be installed. One of these provides it:
  - set CHROMIUM_PATH to the executable of Chromium or Chrome
  - Debian, as root:  apt-get update && apt-get install -y ${APT_PACKAGES.join(' ')}
  - elsewhere:        npx playwright install --with-deps chromium`

function fixedLocations() {
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(homedir(), 'Applications')]
    return apps.flatMap((dir) =>
      ['Google Chrome', 'Chromium'].map((name) => join(dir, `${name}.app/Contents/MacOS/${name}`)),
    )
  }
  if (process.platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
      .map((name) => process.env[name])
      .filter((dir) => dir !== undefined)
      .map((dir) => join(dir, 'Google/Chrome/Application/chrome.exe'))
  }
  return [
    '/usr/bin/chromium',
    '/usr/lib/chromium/chromium',
    '/opt/google/chrome/chrome',
    '/snap/bin/chromium',
  ]
}

function onPath() {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter((dir) => dir !== '')
  return COMMANDS.flatMap((command) => dirs.map((dir) => join(dir, command)))
}

function playwrightCache() {
  const caches = {
    darwin: join(homedir(), 'Library/Caches/ms-playwright'),
    win32: join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright'),
  }
  const dir =
    process.env.PLAYWRIGHT_BROWSERS_PATH ??
    caches[process.platform] ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ms-playwright')
  if (!existsSync(dir)) return []
  const revision = (name) => Number(name.slice('chromium-'.length))
  return readdirSync(dir)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => revision(b) - revision(a))
    .flatMap((name) => [
      join(dir, name, 'chrome-linux64/chrome'),
      join(dir, name, 'chrome-linux/chrome'),
      join(
        dir,
        name,
        'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
      ),
      join(
        dir,
        name,
        'chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
      ),
      join(dir, name, 'chrome-mac/Chromium.app/Contents/MacOS/Chromium'),
      join(dir, name, 'chrome-win64/chrome.exe'),
      join(dir, name, 'chrome-win/chrome.exe'),
    ])
}

/** Whether the file runs: Ubuntu's chromium-browser may be a script that only asks for snap. */
function works(file) {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    return Promise.resolve(false)
  }
  // On Windows `--version` opens a window instead.
  if (process.platform === 'win32') return Promise.resolve(true)
  return new Promise((resolve) => {
    execFile(file, ['--version'], { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
      resolve(error === null && /chrom(e|ium)|edge/i.test(stdout))
    })
  })
}

/** The path of an installed Chromium or Chrome, or undefined. Throws when CHROMIUM_PATH names none that runs. */
export async function findChromium() {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen !== undefined && chosen !== '') {
    if (await works(chosen)) return chosen
    throw new Error(`CHROMIUM_PATH is ${chosen}, which is no browser that runs.`)
  }
  for (const file of new Set([...onPath(), ...fixedLocations(), ...playwrightCache()])) {
    if (await works(file)) return file
  }
  return undefined
}

async function installWithPlaywright() {
  console.error('Installing Chromium with Playwright …')
  await runTool('playwright', ['install', 'chromium'], {
    timeoutMs: PLAYWRIGHT_INSTALL_TIMEOUT_MS,
    // stdout belongs to the path that this script prints.
    stdio: ['ignore', 2, 2],
  })
}

/** The path of a Chromium, installed where there was none; child processes find it in CHROMIUM_PATH. */
export async function ensureChromium() {
  for (const install of [undefined, () => installPackages(APT_PACKAGES), installWithPlaywright]) {
    await install?.()
    const found = await findChromium()
    if (found !== undefined) {
      process.env.CHROMIUM_PATH = found
      return found
    }
  }
  throw new Error(HOW)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(await ensureChromium())
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
