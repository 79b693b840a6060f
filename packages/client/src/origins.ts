/**
 * Where an update of the document came from, as its transaction's origin. What has none of these was made in this tab,
 * and this tab stores it.
 */
export const ORIGINS = {
  /** From the server; the socket must not send it back. */
  socket: Symbol('parley: server'),
  /** From another tab, which stores it itself; the socket forwards it. */
  tab: Symbol('parley: other tab'),
  /** The document was replaced by the server's; what only this device had follows as an edit of this tab. */
  rebuild: Symbol('parley: rebuild'),
  /** Read from this device's disk. */
  storage: Symbol('parley: storage'),
} as const

/** True for an edit made in this tab, by whatever means. */
export function isOwnEdit(origin: unknown): boolean {
  return !(Object.values(ORIGINS) as unknown[]).includes(origin)
}
