/** Flags of Node for a server whose memory is measured: on SIGUSR2 it collects its garbage. */
export const COLLECTABLE = ['--expose-gc', '--import', new URL('./collectOnSignal.js', import.meta.url).href]
