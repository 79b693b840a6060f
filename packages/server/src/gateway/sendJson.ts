import type { FastifyReply } from 'fastify'

/** Sends a body that is JSON already. */
export function sendJson(reply: FastifyReply, json: Buffer): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(json)
}
