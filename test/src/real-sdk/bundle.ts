import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
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

/** Where a checkout of the SDK, or an unpacked package of it, has its named exports: built first, then source. */
const ENTRIES = ['lib/wukongimjssdk.esm.js', 'lib/sdk.js', 'src/index.ts', 'src/sdk.ts']

/**
 * Finds the file of a checkout of the SDK that an app imports.
 *
 * @throws Error that names the folder and what it lacks
 */
export async function findSdk(checkout: string): Promise<string> {
  for (const entry of ENTRIES) {
    const file = resolve(checkout, entry)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  throw new Error(`${checkout} has none of ${ENTRIES.join(', ')}: is it a checkout of WuKongIMJSSDK?`)
}

/**
 * Bundles the app: the package's own files have imports that neither Node nor a browser resolves.
 *
 * @param sdk the file that stands for `wukongimjssdk`; the npm package if left out
 */
export async function bundleApp(sdk?: string): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-sdk-'))
  await build({
    configFile: false,
    logLevel: 'error',
    ...(sdk === undefined
      ? {}
      : { resolve: { alias: [{ find: /^wukongimjssdk\/lib\/sdk(\.js)?$/, replacement: sdk }] } }),
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: {
        // Beside this file, as source or compiled.
        entry: fileURLToPath(import.meta.url).replace(/bundle\.(ts|js)$/, 'app.$1'),
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
