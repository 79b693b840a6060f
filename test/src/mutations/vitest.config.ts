import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { MUTATIONS } from './mutations.js'

const root = fileURLToPath(new URL('../../../packages/core', import.meta.url))
const mutation = MUTATIONS[Number(process.env.PARLEY_MUTATION)]

/** The core's tests on a source from which one rule was taken out. */
export default defineConfig({
  root,
  plugins: [
    {
      name: 'parley:mutate',
      enforce: 'pre',
      transform(code, id) {
        if (!mutation || id.split('?')[0] !== `${root}/src/${mutation.file}`) return undefined
        if (!code.includes(mutation.find))
          throw new Error(`${mutation.file} no longer holds: ${mutation.find}`)
        return code.replace(mutation.find, () => mutation.replace)
      },
    },
  ],
  test: { include: ['test/{lattice,updates,conversations,drafts,lists}.test.ts'] },
})
