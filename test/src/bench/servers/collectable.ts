/**
 * Flags of Node for a server whose memory is measured. On SIGUSR2 it collects its garbage. V8's space for young objects is as
 * large as it gets from the beginning: its growing and shrinking would count as well.
 */
export const COLLECTABLE = [
  '--expose-gc',
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--import',
  new URL('./collectOnSignal.js', import.meta.url).href,
]
