import type { Access, AccessRequest, Authenticate } from './authenticate.js'

/**
 * Asks who somebody is, and waits no longer than `timeoutMs`.
 *
 * @throws what `authenticate` throws, or a `TimeoutError`
 */
export async function askAccess(
  authenticate: Authenticate,
  request: Omit<AccessRequest, 'signal'>,
  timeoutMs: number,
): Promise<Access> {
  const signal = AbortSignal.timeout(timeoutMs)
  return Promise.race([
    // In a function of its own, so that a hook that throws at once is one that rejects.
    (async () => authenticate({ ...request, signal }))(),
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    }),
  ])
}
