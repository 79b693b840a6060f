// Finds the C compiler that builds a failing disk for the tests in *.disk.test.ts, or installs one.
import { installPackages, succeeds } from './lib/apt.mjs'

const APT_PACKAGES = ['gcc', 'libc6-dev']
const HOW = `They need Linux and a C compiler as cc; on Debian: apt-get install -y ${APT_PACKAGES.join(' ')}.`

const hasCompiler = () => succeeds('cc', ['--version'])

/** Why the tests with failing disks cannot run here, and what would help; null if they can. */
export function disksFault() {
  if (process.platform === 'linux' && hasCompiler()) return null
  return `Left out: the tests in *.disk.test.ts. ${HOW}`
}

/** Sees to it that there is a compiler. */
export async function ensureCompiler() {
  if (hasCompiler()) return
  await installPackages(APT_PACKAGES)
  if (!hasCompiler()) throw new Error(`The tests in *.disk.test.ts cannot run. ${HOW}`)
}
