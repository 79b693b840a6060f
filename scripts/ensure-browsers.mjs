// Finds Firefox and WebKitGTK for the tests in *.browsers.test.ts, or installs Debian's packages. Firefox speaks WebDriver BiDi by
// itself; WebKitGTK has a driver, and needs a display, which Xvfb keeps in memory.
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installPackages } from './lib/apt.mjs'

const APT_PACKAGES = ['firefox-esr', 'webkit2gtk-driver', 'xvfb']
const HOW = `They need Firefox, WebKitWebDriver with MiniBrowser, and Xvfb; on Debian: apt-get install -y ${APT_PACKAGES.join(' ')}.`

const LIBRARIES = '/usr/lib'

function findProgram(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
}

/** WebKitGTK's small browser, which Debian keeps among the libraries, in a folder for each architecture and version. */
function findMiniBrowser() {
  if (!existsSync(LIBRARIES)) return undefined
  return readdirSync(LIBRARIES)
    .flatMap((name) =>
      ['webkit2gtk-4.1', 'webkit2gtk-4.0'].map((version) => join(LIBRARIES, name, version, 'MiniBrowser')),
    )
    .find((file) => existsSync(file))
}

/**
 * Looks for the browsers.
 * @returns {{ env: Record<string, string>, fault: string | null }} where they are, and the line that says that their tests are left
 * out; `null` if both are there
 */
export function findBrowsers() {
  const firefox = process.env.FIREFOX_PATH || findProgram('firefox-esr') || findProgram('firefox')
  const webkit = process.env.WEBKIT_BROWSER_PATH || findMiniBrowser()
  const isComplete = firefox && webkit && findProgram('WebKitWebDriver') && findProgram('Xvfb')
  if (!isComplete) return { env: {}, fault: `Left out: the tests in *.browsers.test.ts. ${HOW}` }
  return { env: { FIREFOX_PATH: firefox, WEBKIT_BROWSER_PATH: webkit }, fault: null }
}

/** Installs the browsers if they are missing. */
export async function ensureBrowsers() {
  if (findBrowsers().fault === null) return
  await installPackages(APT_PACKAGES)
  if (findBrowsers().fault !== null) throw new Error(`The tests in *.browsers.test.ts cannot run. ${HOW}`)
}
