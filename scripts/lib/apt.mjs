// Installs Debian packages, for what the tests need and npm does not have.
import { execFileSync } from 'node:child_process'
import { run } from './run.mjs'

const PROBE_TIMEOUT_MS = 20_000
const UPDATE_TIMEOUT_MS = 120_000
// About 100 MB of packages: a minute on a slow line, and dpkg is not to be killed lightly.
const INSTALL_TIMEOUT_MS = 300_000

// Debian starts a service as soon as it is installed, unless this file says no; it is how its images keep it from doing so.
const POLICY_FILE = '/usr/sbin/policy-rc.d'
const INSTALL_WITHOUT_STARTING = `
if [ ! -e ${POLICY_FILE} ]; then
  trap 'rm -f ${POLICY_FILE}' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > ${POLICY_FILE} && chmod 755 ${POLICY_FILE}
fi
"$@"`

/** Whether a program runs and ends with 0. */
export function succeeds(command, args) {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS })
    return true
  } catch {
    return false
  }
}

/** Tries to install packages where there is apt-get and the right to use it; services among them are not started. */
export async function installPackages(packages) {
  if (process.platform !== 'linux' || !succeeds('apt-get', ['--version'])) return
  const isRoot = process.getuid?.() === 0
  if (!isRoot && !succeeds('sudo', ['-n', 'true'])) return
  console.error(`Installing ${packages.join(', ')} with apt-get …`)
  const apt = (timeoutMs, ...args) => {
    // Another apt-get on the machine is waited for; our own limit ends the wait.
    const aptGet = ['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=240', ...args]
    const command = [
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'sh',
      '-c',
      INSTALL_WITHOUT_STARTING,
      'sh',
      ...aptGet,
    ]
    if (!isRoot) command.unshift('sudo', '-n')
    // dpkg's progress is of no use; what goes wrong is on stderr.
    return run(command[0], command.slice(1), { timeoutMs, stdio: ['ignore', 'ignore', 2] })
  }
  // A stale list may still do, so a failed update is not the end.
  await apt(UPDATE_TIMEOUT_MS, 'update')
  await apt(INSTALL_TIMEOUT_MS, 'install', '-y', '--no-install-recommends', ...packages)
}
