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
import { audited, auditPath, createAuditLog } from './auditLog.js'
import type { Command, Output } from './commands.js'
import { requireStore, whenFree } from './dataFolder.js'
import { openAdmin } from './openAdmin.js'
import { openShared } from './openShared.js'
import { readBackupSettings, readVerifySettings } from './settings.js'
import { type LastingStore, placeOf } from './storeSettings.js'
import { CommandError } from './usage.js'

/** `parley backup DIR` */
export const runBackup: Command = async (args, env, output) => {
  const { err } = output
  const { store, folder } = readBackupSettings(args, env)
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    const { rooms, rows, bytes, damaged } = await audited(
      createAuditLog(auditPath(store, env)),
      output,
      { action: 'backup', detail: { folder: resolve(folder) } },
      () => admin.backup(resolve(folder)),
      (done) => ({ users: done.rooms, damaged: done.damaged.length }),
    )
    err(`Wrote ${folder}: ${rooms} users, ${rows} updates, ${bytes} bytes.\n`)
    if (damaged.length === 0) return
    const names = [...new Set(damaged.map(({ room }) => room))].join(', ')
    throw new CommandError(`What is damaged is not in it, of ${names}; parley verify tells more`)
  } finally {
    await close()
  }
}

/** `parley restore DIR` */
export const runRestore: Command = async (args, env, output) => {
  const { err } = output
  const { store: settings, folder } = readBackupSettings(args, env)
  const { store, close } = await openAlone(settings, output)
  try {
    const { rooms, createdAt } = await audited(
      createAuditLog(auditPath(settings, env)),
      output,
      { action: 'restore', detail: { folder: resolve(folder) } },
      () => restoreBackup({ store, path: resolve(folder), now: Date.now() }),
      (done) => ({ users: done.rooms, createdAt: done.createdAt }),
    )
    err(`Restored ${rooms} users into ${placeOf(settings)}, as they were at ${createdAt}.\n`)
  } finally {
    await close()
  }
}

/** `parley verify [--repair]` */
export const runVerify: Command = async (args, env, output) => {
  const { out, err } = output
  const { store, repair } = readVerifySettings(args, env)
  if (store.kind === 'level') await requireStore(store.folder)
  if (repair) {
    if (store.kind === 'postgres') {
      throw new CommandError(
        '--repair mends a data folder; a database is mended by its own means, or restored',
      )
    }
    const { folder } = store
    await refuseServer(folder, 'repair')
    const report = await audited(
      createAuditLog(auditPath(store, env)),
      output,
      { action: 'repair' },
      () => whenFree(output, () => repairFolder(folder, Date.now())),
      (done) => ({
        sound: done.now.sound,
        repaired: done.repaired,
        lost: done.lost,
        values: done.values,
        copy: done.copy ?? undefined,
      }),
    )
    out(canonicalText(report))
    if (report.copy !== null) err(`The files as they were are in ${report.copy}.\n`)
    if (report.values.length > 0) {
      err(
        `Values beside the rooms may be missing: ${report.values.join(', ')}. docs/operating.md says what to do.\n`,
      )
    }
    return finish(report.now)
  }
  const report = await verify(store, output, env)
  out(canonicalText(report))
  finish(report)
}

/** A folder that no server has open is looked at before LevelDB does. */
async function verify(store: LastingStore, output: Output, env: NodeJS.ProcessEnv): Promise<VerifyReport> {
  if (store.kind === 'level' && !(await connectToServer(store.folder))) {
    return whenFree(output, () => verifyFolder(store.folder))
  }
  const { admin, close } = await openAdmin(store, { output, env })
  try {
    return await admin.verify()
  } finally {
    await close()
  }
}

/** Opens a store that no server has open. Of a database nobody can tell; a restore demands that it is empty. */
async function openAlone(
  settings: LastingStore,
  output: Output,
): Promise<{ store: LogStore; close: () => Promise<void> }> {
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
  const store = await whenFree(output, () => openLevelLog({ folder: settings.folder }))
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
