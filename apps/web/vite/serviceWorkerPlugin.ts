import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const TEMPLATE = new URL('./serviceWorker.js', import.meta.url)

/** Adds the service worker to the build, with the names of the files that the app cannot do without. */
export function serviceWorkerPlugin(): Plugin {
  return {
    name: 'parley:service-worker',
    enforce: 'post',
    generateBundle(_, bundle) {
      const files = Object.keys(bundle)
        .filter((file) => file.startsWith('assets/') || file === 'sample/index.json')
        .sort()
      const html = bundle['index.html']
      const hash = createHash('sha256')
      // The names of assets are made of their content; the page has none.
      hash.update(files.join())
      if (html?.type === 'asset') hash.update(html.source)
      const source = readFileSync(TEMPLATE, 'utf8')
        .replace('__VERSION__', hash.digest('hex').slice(0, 12))
        .replace(
          "'__FILES__'",
          ['/', '/favicon.svg', ...files.map((file) => `/${file}`)].map((file) => `'${file}'`).join(', '),
        )
      this.emitFile({ type: 'asset', fileName: 'sw.js', source })
    },
  }
}
