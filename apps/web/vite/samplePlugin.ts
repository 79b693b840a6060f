import type { Plugin } from 'vite'
import { convertSample } from '../src/demo/sample/convertSample.js'
import { SAMPLE_FOLDER, SAMPLE_INDEX_FILE } from '../src/demo/sample/sampleFormat.js'
import { readSample } from './readSample.js'

/** Puts the sample into the build, and serves it while developing. */
export function samplePlugin(): Plugin {
  let files: Map<string, string> | null = null
  const load = (): Map<string, string> => {
    if (files) return files
    const { index, chunks } = convertSample(readSample())
    files = new Map([[SAMPLE_INDEX_FILE, JSON.stringify(index)]])
    for (const [file, lines] of chunks) files.set(file, JSON.stringify(lines))
    return files
  }
  return {
    name: 'parley:sample',
    configureServer({ middlewares }) {
      middlewares.use(`/${SAMPLE_FOLDER}/`, (request, response, next) => {
        const json = load().get(request.url?.slice(1) ?? '')
        if (json === undefined) return next()
        response.setHeader('content-type', 'application/json')
        response.end(json)
      })
    },
    generateBundle() {
      for (const [file, source] of load()) {
        this.emitFile({ type: 'asset', fileName: `${SAMPLE_FOLDER}/${file}`, source })
      }
    },
  }
}
