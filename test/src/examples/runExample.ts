import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Example } from './readExamples.js'

// Beside this file, so that the packages' names mean what they mean to whoever installs them.
const folder = join(dirname(fileURLToPath(import.meta.url)), '.written')

/** Runs an example as a module of its own. */
export async function runExample({ place, language, code }: Example): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${place.replace(/\W/g, '_')}.${language}`)
  writeFileSync(file, code)
  await import(/* @vite-ignore */ file)
}

/** Removes what {@link runExample} wrote. */
export function removeExamples(): void {
  rmSync(folder, { recursive: true, force: true })
}
