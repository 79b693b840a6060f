import type { FastifyReply } from 'fastify'
import { releaseMemory } from './releaseMemory.js'

/** Sends a body that is JSON already. */
export function sendJson(reply: FastifyReply, json: Buffer): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}

/** As {@link sendJson}, a body that nobody else has: its memory is given back when it was sent. */
export function sendOwnJson(reply: FastifyReply, json: Buffer): FastifyReply {
  const { socket } = reply.request.raw
  // Before Node itself looks, which closes connections that are not to be used again. It comes once as it is.
  reply.raw.prependListener('finish', () => {
    // Of a connection that broke the system may still be about to write.
    if (!socket.destroyed) releaseMemory(json)
  })
  return sendJson(reply, json)
}
