import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { serveCalls } from '../workers/serveCalls.js'

const HOST = '127.0.0.1'

/** What the gateway is compared with: a server that has its answer already. */
const calls = {
  /** A fastify route that reads the same requests, and sends a prepared body. */
  async startFastify({ path, body }: { path: string; body: Uint8Array }): Promise<string> {
    const app = Fastify({ logger: false })
    const prepared = Buffer.from(body)
    app.post(path, async (_request, reply) => reply.type('application/json; charset=utf-8').send(prepared))
    return app.listen({ host: HOST, port: 0 })
  },
  /** Node's own server with next to nothing around it: as fast as the load generator will ever see an answer. */
  async startBare({ body }: { body: Uint8Array }): Promise<string> {
    const prepared = Buffer.from(body)
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-length': prepared.byteLength })
      response.end(prepared)
    })
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    return `http://${HOST}:${(server.address() as AddressInfo).port}`
  },
}

export type PlainServerCalls = typeof calls

serveCalls(calls)
