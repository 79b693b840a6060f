import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** A folder with the app as one file of JavaScript, and a page that loads it. */
export interface Bundle {
  readonly folder: string
  /** For Node to import. */
  readonly file: string
  remove: () => Promise<void>
}

const PAGE =
  '<!doctype html><title>An app of wukongimjssdk</title><script type="module" src="/app.js"></script>'

/** Bundles the app: the package's own files have imports that neither Node nor a browser resolves. */
export async function bundleApp(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-sdk-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL('./app.ts', import.meta.url)),
        formats: ['es'],
        fileName: () => 'app.js',
      },
    },
  })
  await writeFile(join(folder, 'index.html'), PAGE)
  return {
    folder,
    file: join(folder, 'app.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
