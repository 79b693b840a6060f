import { ServerError } from '../errors.js'

/** The error for what is stored and cannot be read. */
export function damaged(key: string, damage: string): ServerError {
  return new ServerError('store-damaged', `What is stored under ${key} cannot be read: ${damage}`)
}
