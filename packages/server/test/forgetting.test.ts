import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type LogStore, openLevelLog } from '../src/index.js'
import { runForgettingTests } from './support/forgetting.js'

const folders = new WeakMap<LogStore, string>()

runForgettingTests('classic-level', {
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'parley-forget-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const store = await openLevelLog({ folder })
    folders.set(store, folder)
    return store
  },
  async bytesOf(store) {
    const entries = await readdir(folders.get(store) ?? '', { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    // LevelDB tidies up in the background: a file may be gone by now.
    return Promise.all(files.map((file) => readFile(file).catch(() => Buffer.alloc(0))))
  },
})
