import { describe, expect, it } from 'vitest'
import { importViolations, listenerViolations, RULES } from './rules.js'
import { listFolders, parseSource, readSources } from './sources.js'

describe('the packages', () => {
  it('are all covered by a rule, and every rule by a package', () => {
    expect(listFolders().sort()).toEqual(Object.keys(RULES).sort())
  })

  it.each(listFolders())('%s imports only what lies below it', (folder) => {
    const sources = readSources(folder)
    expect(sources).not.toEqual([])
    expect(sources.flatMap((source) => importViolations(folder, source))).toEqual([])
  })

  it.each(listFolders())('%s adds no listener to a document itself', (folder) => {
    expect(readSources(folder).flatMap(listenerViolations)).toEqual([])
  })
})

describe('the rules find', () => {
  const check = (folder: string, text: string) =>
    importViolations(folder, parseSource(`${folder}/src/deep/file.ts`, text)).length

  it.each([
    ['packages/core', `import { x } from '@parley/client'`],
    ['packages/core', `import type { X } from '@parley/server'`],
    ['packages/core', `export * from '@parley/react'`],
    ['packages/core', `export { x } from '@parley/react'`],
    ['packages/core', `const x = await import('@parley/client')`],
    ['packages/core', `let x: import('@parley/client').Client`],
    ['packages/core', `import '../../../client/src/index.js'`],
    ['packages/core', `import { readFileSync } from 'node:fs'`],
    ['packages/core', `import { readFileSync } from 'fs'`],
    ['packages/core', `import { WebsocketProvider } from 'y-websocket'`],
    ['packages/client', `import { x } from '@parley/react'`],
    ['packages/client', `import { x } from '@parley/server'`],
    ['packages/client', `import { readFileSync } from 'node:fs'`],
    ['packages/server', `import { x } from '@parley/client'`],
    ['apps/server', `import { x } from '@parley/react'`],
    ['apps/web', `import { x } from '@parley/server'`],
    ['packages/unheard-of', `export const x = 1`],
  ])('in %s: %s', (folder, text) => {
    expect(check(folder, text)).toBe(1)
  })

  it.each([
    [
      'packages/core',
      `import * as Y from 'yjs'; import * as decoding from 'lib0/decoding'; import '../x.js'`,
    ],
    ['packages/core', `/** import { createClient } from '@parley/client' */ export const x = 1`],
    ['packages/client', `import { x } from '@parley/core'`],
    ['packages/react', `import { x } from '@parley/client'; import { y } from '@parley/core/testing'`],
    ['packages/server', `import { x } from '@parley/core'; import { readFileSync } from 'node:fs'`],
    ['apps/web', `import './style.css'; import { x } from '@parley/react'`],
  ])('nothing in %s: %s', (folder, text) => {
    expect(check(folder, text)).toBe(0)
  })

  const listeners = (text: string) =>
    listenerViolations(parseSource('packages/client/src/file.ts', text)).length

  it.each([
    `doc.on('update', save)`,
    `this.doc.once("updateV2", save)`,
    `this.#doc?.on(\`beforeTransaction\`, save)`,
    `getDoc().on('afterTransactionCleanup', save)`,
    `doc['on']('subdocs', save)`,
  ])('a listener: %s', (text) => {
    expect(listeners(text)).toBe(1)
  })

  it.each([
    `provider.on('status', show)`,
    `awareness.on('update', show)`,
    `this.#awareness.on('update', show)`,
  ])('no listener: %s', (text) => {
    expect(listeners(text)).toBe(0)
  })
})
