// Loaded into servers whose memory is measured: what the collector has not come to is no cost of a connection.
const collect = (globalThis as { gc?: () => void }).gc
if (!collect) throw new Error('this is to be loaded with --expose-gc')

/** So often and so far apart, in milliseconds: pages are given back little by little, and finalizers run in between. */
const ROUNDS = 8
const PAUSE_MS = 700

process.on('SIGUSR2', () => {
  for (let round = 0; round < ROUNDS; round++) setTimeout(collect, round * PAUSE_MS).unref()
})
