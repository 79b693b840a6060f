import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

interface Service {
  readonly image: string
  readonly environment?: Record<string, string>
  readonly depends_on?: readonly string[] | Record<string, unknown>
  readonly volumes?: readonly string[]
  readonly stop_grace_period?: string
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
}

interface Compose {
  readonly services: Record<string, Service>
  readonly volumes: Record<string, unknown>
  readonly networks: {
    default: { ipam: { config: ReadonlyArray<{ subnet: string }> } }
    store: { internal: boolean }
  }
}

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose
const nodes = Object.keys(compose.services).filter((name) => name.startsWith('node'))

/** What the shell's variables in a compose file become if nobody sets them and they may be left out. */
function withDefaults(value: string): string {
  return value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{(\w+):\?[^}]*\}/g, 'value-of-$1')
}

describe('the compose file', () => {
  it('starts three nodes alike, with the database, the bus and the balancer that they need', () => {
    expect(nodes).toEqual(['node1', 'node2', 'node3'])
    for (const name of nodes) expect(compose.services[name]).toEqual(compose.services.node1)
    for (const { depends_on = [] } of Object.values(compose.services)) {
      const names = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
      for (const name of names) expect(Object.keys(compose.services)).toContain(name)
    }
  })

  it('sets variables that the server has, to addresses within it', () => {
    const { environment = {} } = compose.services.node1 as Service
    const documented = new Set(read('docs/operating.md').match(/PARLEY_[A-Z_]+/g))
    for (const name of Object.keys(environment)) expect(documented).toContain(name)
    for (const name of ['PARLEY_DATABASE_URL', 'PARLEY_REDIS_URL']) {
      const url = new URL(withDefaults(environment[name] ?? ''))
      expect(Object.keys(compose.services)).toContain(url.hostname)
    }
    expect(environment.PARLEY_TRUST_PROXY).toBe(compose.networks.default.ipam.config[0]?.subnet)
  })

  it('gives a node the time it takes to stop', () => {
    const { environment = {}, stop_grace_period = '' } = compose.services.node1 as Service
    expect(stop_grace_period).toMatch(/^\d+s$/)
    expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThanOrEqual(
      20 + Number(environment.PARLEY_STOP_DELAY),
    )
  })

  it('[OPS5] publishes TLS only, by Caddy, and keeps the database in a network without a way out', () => {
    const published = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined)
    expect(published.map(([name]) => name)).toEqual(['caddy'])
    expect(compose.services.caddy?.ports).toEqual(['80:80', '443:443', '443:443/udp'])
    for (const name of ['postgres', 'redis']) expect(compose.services[name]?.networks).toEqual(['store'])
    expect(compose.networks.store).toEqual({ internal: true })
    expect(read('deploy/Caddyfile')).toContain('reverse_proxy balancer:4300')
  })

  it('[OPS6] builds an image that runs as a user without rights, with its data in a volume, of a base that can be pinned', () => {
    const dockerfile = read('deploy/Dockerfile')
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    for (const line of ['USER node', 'WORKDIR /data', 'VOLUME /data', 'ENV PARLEY_DATA=/data'])
      expect(last).toContain(line)
    expect(dockerfile.match(/^FROM .*$/gm)).toEqual(
      expect.arrayContaining([expect.stringContaining('$' + '{NODE_TAG}$' + '{NODE_DIGEST}')]),
    )
  })

  it('mounts what is there, and volumes that it names', () => {
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':')
        if (from.startsWith('.')) expect(read(join('deploy', from))).not.toBe('')
        else expect(Object.keys(compose.volumes)).toContain(from)
      }
    }
  })

  it('has a load balancer that knows all nodes, asks whether they are ready, and leaves connections open', () => {
    const backends = read('deploy/haproxy.cfg')
      .split(/^backend /m)
      .slice(1)
    expect(backends).toHaveLength(2)
    for (const backend of backends) {
      expect(backend.match(/^ {2}server (\w+) \1:4300$/gm)).toHaveLength(nodes.length)
      for (const name of nodes) expect(backend).toContain(`server ${name} ${name}:4300`)
      expect(backend).toContain('option httpchk GET /readyz')
    }
    const tunnel = /timeout tunnel (\d+)s/.exec(read('deploy/haproxy.cfg'))?.[1]
    // Longer than the server's heartbeat.
    expect(Number(tunnel)).toBeGreaterThan(20)
  })

  it('builds the command and the app that the workspace has', () => {
    const dockerfile = read('deploy/Dockerfile')
    const filter = /--filter (\S+) deploy/.exec(dockerfile)?.[1]
    const { name, bin } = JSON.parse(read('apps/server/package.json')) as {
      name: string
      bin: { parley: string }
    }
    expect(filter).toBe(name)
    expect(dockerfile).toContain(join('/parley', bin.parley))
    expect(dockerfile.match(/pnpm@([\d.]+)/g)).toEqual(
      Array.from({ length: 3 }, () => /pnpm@[\d.]+/.exec(read('.ci/run'))?.[0]),
    )
  })
})
