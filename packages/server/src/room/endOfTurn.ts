let ending: Promise<void> | null = null

/**
 * Settles when all sockets were read that had something, for all who ask in the same turn of the event loop: what arrives
 * together is then dealt with together, by the processor, the store and those who are told.
 */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = null
      resolve()
    })
  })
  return ending
}
