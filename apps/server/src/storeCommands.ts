import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  canonicalText,
  connectToServer,
  type LogStore,
  openLevelLog,
  repairFolder,
  restoreBackup,
  silentLogger,
  type VerifyReport,
  verifyFolder,
} from '@parley/server'
import type { Command } from './commands.js'
import { openAdmin } from './openAdmin.js'
import { openShared } from './openShared.js'
import { readBackupSettings, readVerifySettings } from './settings.js'
import { type LastingStore, placeOf } from './storeSettings.js'
import { CommandError } from './usage.js'

/** `parley backup DIR` */
export const runBackup: Command = async (args, env, { err }) => {
  const { store, folder } = readBackupSettings(args, env)
  await checkExists(store)
  const { admin, close } = await openAdmin(store)
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
  const { store: settings, folder } = readBackupSettings(args, env)
  const { store, close } = await openAlone(settings)
  try {
    const { rooms, createdAt } = await restoreBackup({ store, path: resolve(folder), now: Date.now() })
    err(`Restored ${rooms} users into ${placeOf(settings)}, as they were at ${createdAt}.\n`)
  } finally {
    await close()
  }
}

/** `parley verify [--repair]` */
export const runVerify: Command = async (args, env, { out, err }) => {
  const { store, repair } = readVerifySettings(args, env)
  await checkExists(store)
  if (repair) {
    if (store.kind === 'postgres') {
      throw new CommandError(
        '--repair mends a data folder; a database is mended by its own means, or restored',
      )
    }
    await refuseServer(store.folder, 'repair')
    const report = await repairFolder(store.folder, Date.now())
    out(canonicalText(report))
    if (report.copy !== null) err(`The files as they were are in ${report.copy}.\n`)
    return finish(report.now)
  }
  const report = await verify(store)
  out(canonicalText(report))
  finish(report)
}

/** A folder that no server has open is looked at before LevelDB does. */
async function verify(store: LastingStore): Promise<VerifyReport> {
  if (store.kind === 'level' && !(await connectToServer(store.folder))) return verifyFolder(store.folder)
  const { admin, close } = await openAdmin(store)
  try {
    return await admin.verify()
  } finally {
    await close()
  }
}

/** Opens a store that no server has open. Of a database nobody can tell; a restore demands that it is empty. */
async function openAlone(settings: LastingStore): Promise<{ store: LogStore; close: () => Promise<void> }> {
  if (settings.kind === 'postgres') {
    const { store, bus } = await openShared(settings, { logger: silentLogger })
    return {
      store,
      async close() {
        await bus.close()
        await store.close()
      },
    }
  }
  await refuseServer(settings.folder, 'restore into')
  const store = await openLevelLog({ folder: settings.folder })
  return { store, close: store.close }
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
async function checkExists(store: LastingStore): Promise<void> {
  if (store.kind !== 'level') return
  await access(store.folder).catch(() => {
    throw new CommandError(`There is no data folder ${store.folder}`)
  })
}
