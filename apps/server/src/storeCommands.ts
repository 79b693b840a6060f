import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  canonicalText,
  connectToServer,
  openLevelLog,
  repairFolder,
  restoreBackup,
  type VerifyReport,
  verifyFolder,
} from '@parley/server'
import type { Command } from './commands.js'
import { openAdmin } from './openAdmin.js'
import { readBackupSettings, readVerifySettings } from './settings.js'
import { CommandError } from './usage.js'

/** `parley backup DIR` */
export const runBackup: Command = async (args, env, { err }) => {
  const { data, folder } = readBackupSettings(args, env)
  await checkExists(data)
  const { admin, close } = await openAdmin(data)
  try {
    const { rooms, rows, bytes, damaged } = await admin.backup(resolve(folder))
    err(`Wrote ${folder}: ${rooms} users, ${rows} updates, ${bytes} bytes.\n`)
    if (damaged.length === 0) return
    const names = [...new Set(damaged.map(({ room }) => room))].join(', ')
    throw new CommandError(`What is damaged is not in it, of ${names}; parley verify tells more`)
  } finally {
    await close()
  }
}

/** `parley restore DIR` */
export const runRestore: Command = async (args, env, { err }) => {
  const { data, folder } = readBackupSettings(args, env)
  await refuseServer(data, 'restore into')
  const store = await openLevelLog({ folder: data })
  try {
    const { rooms, createdAt } = await restoreBackup({ store, path: resolve(folder), now: Date.now() })
    err(`Restored ${rooms} users into ${data}, as they were at ${createdAt}.\n`)
  } finally {
    await store.close()
  }
}

/** `parley verify [--repair]` */
export const runVerify: Command = async (args, env, { out, err }) => {
  const { data, repair } = readVerifySettings(args, env)
  await checkExists(data)
  if (repair) {
    await refuseServer(data, 'repair')
    const report = await repairFolder(data, Date.now())
    out(canonicalText(report))
    if (report.copy !== null) err(`The files as they were are in ${report.copy}.\n`)
    return finish(report.now)
  }
  const running = await connectToServer(data)
  const report = running ? await running.verify() : await verifyFolder(data)
  out(canonicalText(report))
  finish(report)
}

function finish({ sound, files, damage }: VerifyReport): void {
  if (sound) return
  const users = new Set(damage.map(({ room }) => room)).size
  throw new CommandError(`Damaged: ${files.length} files, something of ${users} users`)
}

async function refuseServer(data: string, what: string): Promise<void> {
  if (await connectToServer(data)) {
    throw new CommandError(`A server has ${data} open; stop it to ${what} that folder`)
  }
}

/** Looking at a folder must not make one. */
async function checkExists(data: string): Promise<void> {
  await access(data).catch(() => {
    throw new CommandError(`There is no data folder ${data}`)
  })
}
