import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a service that a test can block. */
export interface ServiceProxy {
  /** The address of the service by way of the proxy. */
  readonly url: string
  /** How many connections were made through it. */
  readonly connections: number
  /** Breaks all connections and takes no more, as a service that is restarted does. */
  cut: () => Promise<void>
  /** Keeps connections and carries nothing, as a network does that is gone. */
  hang: () => void
  /** Carries everything so much later. */
  delay: (ms: number) => void
  /** Carries what clients say, and breaks the connection instead of carrying the next answer. */
  loseNextAnswer: () => void
  /** Ends what is blocked; what had been said meanwhile goes on its way. */
  restore: () => Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly service: Socket
  readonly held: Array<() => void>
}

/** Opens a proxy to the service at an address, until the test ends. */
export async function openProxy(target: string): Promise<ServiceProxy> {
  const { hostname, port } = new URL(target)
  const pairs = new Set<Pair>()
  let connections = 0
  let hanging = false
  let losing = false
  let delayMs = 0

  const carry = (pair: Pair, bytes: Buffer, to: Socket): void => {
    const write = (): void => void (to.writable && to.write(bytes))
    if (hanging) pair.held.push(write)
    else if (delayMs > 0) setTimeout(write, delayMs)
    else write()
  }
  const destroy = ({ client, service }: Pair): void => {
    client.destroy()
    service.destroy()
  }
  const server = createServer((client) => {
    connections++
    const service = connect(Number(port), hostname)
    const pair: Pair = { client, service, held: [] }
    pairs.add(pair)
    client.on('data', (bytes) => carry(pair, bytes, service))
    service.on('data', (bytes) => {
      if (losing) {
        losing = false
        destroy(pair)
      } else carry(pair, bytes, client)
    })
    for (const socket of [client, service]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        destroy(pair)
      })
    }
  })
  const listen = async (at: number): Promise<void> => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const own = (server.address() as { port: number }).port
  const cut = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : null
    if (closed) server.close()
    for (const pair of pairs) destroy(pair)
    await closed
  }
  onTestFinished(cut)

  const url = new URL(target)
  url.host = `127.0.0.1:${own}`
  return {
    url: url.href,
    get connections() {
      return connections
    },
    cut,
    hang() {
      hanging = true
    },
    delay(ms) {
      delayMs = ms
    },
    loseNextAnswer() {
      losing = true
    },
    async restore() {
      hanging = false
      losing = false
      delayMs = 0
      for (const { held } of pairs) for (const write of held.splice(0)) write()
      if (!server.listening) await listen(own)
    },
  }
}
