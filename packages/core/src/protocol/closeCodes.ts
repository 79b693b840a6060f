/**
 * The WebSocket close codes between client and server. y-websocket's provider stops for good on 4400 to 4499 and tries
 * again on all others, so what can never succeed has a code there and what passes has one outside.
 */
export const CLOSE_CODES = {
  /** The server restarts; connect again. */
  serviceRestart: 1012,
  /** The bytes are no message, or no update that can be applied. */
  malformed: 4400,
  /** There is no token, or it is wrong or expired: get another one, then connect again. */
  unauthenticated: 4401,
  /** The token is right, the room is not the caller's. */
  forbidden: 4403,
  /** The address names no room. */
  notFound: 4404,
  /** The server does not serve pages of this origin, or is not to be reached under this host name. */
  originRefused: 4421,
  /** The document, or one update, is larger than the server keeps. */
  tooLarge: 4413,
  /** The server could not store an update; what was not acknowledged must be sent again. */
  storeUnavailable: 4503,
  /** The client reads more slowly than the room changes. */
  slowReader: 4508,
  /** Too many messages in too short a time. */
  rateLimited: 4529,
} as const

/** One of {@link CLOSE_CODES}. */
export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES]
