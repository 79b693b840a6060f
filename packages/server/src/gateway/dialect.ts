import type { FastifyRequest } from 'fastify'

const APPLE = /CFNetwork|Darwin|Alamofire|\biOS\b|iPhone|iPad/i

/**
 * True for clients that take an item whose newest message has `is_deleted` for the deletion of the conversation, or do not
 * mind. The iOS SDK shows every conversation that is in an answer, whatever it says, so there it is told by absence only.
 */
export function tellsDeletions({ headers }: FastifyRequest): boolean {
  return !APPLE.test(headers['user-agent'] ?? '')
}
