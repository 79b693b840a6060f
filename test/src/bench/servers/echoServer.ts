import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { serveCalls } from '../workers/serveCalls.js'

const HOST = '127.0.0.1'

/** A WebSocket server that sends back what it gets: as fast as a load generator will ever see an answer. */
const calls = {
  async start(): Promise<string> {
    const http = createServer()
    const server = new WebSocketServer({ server: http, perMessageDeflate: false })
    server.on('connection', (socket) => socket.on('message', (frame) => socket.send(frame)))
    await new Promise<void>((resolve) => http.listen(0, HOST, resolve))
    return `ws://${HOST}:${(http.address() as AddressInfo).port}`
  },
}

export type EchoServerCalls = typeof calls

serveCalls(calls)
