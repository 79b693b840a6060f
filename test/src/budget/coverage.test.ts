import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listMessageTypes } from './coverage/messageTypes.js'
import { listRoutes } from './coverage/routes.js'
import { HTTP_INPUTS } from './httpInputs.js'
import { MESSAGE_TYPES } from './inputs.js'
import { createWebRoot, startTestedServer } from './runner/server.js'
import { MESSAGE_INPUTS } from './syncInputs.js'

describe('the budget suite', () => {
  it('[HTTP2] has an input for every route of the server', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-routes-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const routes = await listRoutes(await createWebRoot(folder))
    expect(routes.length).toBeGreaterThan(20)
    const attacked = new Set(HTTP_INPUTS.map(({ route }) => route))
    expect(routes.filter((route) => !attacked.has(route))).toEqual([])
    expect([...attacked].filter((route) => !routes.includes(route))).toEqual([])
  })

  it('[HTTP2] has an input for every endpoint that /openapi.json describes', async () => {
    const server = await startTestedServer('open')
    onTestFinished(server.stop)
    const response = await fetch(`${server.url}/openapi.json`)
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> }
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    const attacked = new Set(HTTP_INPUTS.map(({ route }) => route))
    expect(described.filter((endpoint) => !attacked.has(endpoint))).toEqual([])
  })

  it('[HTTP2] has an input for every WebSocket message type', async () => {
    const server = await startTestedServer('open')
    onTestFinished(server.stop)
    const known = await listMessageTypes(`${server.url.replace('http', 'ws')}/sync/alice`)
    const names = new Map(Object.entries(MESSAGE_TYPES).map(([name, head]) => [head.join('.'), name]))
    const attacked = new Set<string>(MESSAGE_INPUTS.map(({ type }) => type))
    const missing = known.filter((head) => !attacked.has(names.get(head.join('.')) ?? ''))
    expect(missing).toEqual([])
    expect(known.map((head) => names.get(head.join('.'))).sort()).toEqual(Object.keys(MESSAGE_TYPES).sort())
  })

  it('[HTTP2] names each input once', () => {
    const names = [...HTTP_INPUTS, ...MESSAGE_INPUTS].map(({ name }) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })
})
