import type { Environment } from '@parley/core'

/** Why a provider gave no answer. */
export type ProviderErrorCode = 'timeout' | 'failed'

/** An error of an app's own provider: it reported one, threw one, or never called back. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly code: ProviderErrorCode

  constructor(code: ProviderErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** How a provider is called. */
export interface CallOptions {
  /** What the error calls it. */
  readonly name: string
  readonly timeoutMs: number
  readonly environment: Pick<Environment, 'schedule'>
}

/**
 * Calls a provider of either style. It answers once: by calling back or by the promise it returns, whichever is first; what
 * comes later is ignored. An error beside a result counts as an error, as it does in the SDK.
 *
 * @param provider the app's function, for its number of parameters: one that takes the callback answers by it
 * @param invoke calls it with the callback, which is its parameter number `place`
 * @returns what it answered; rejects with a {@link ProviderError}
 */
export function callProvider<Answer>(
  provider: (...args: never[]) => unknown,
  place: number,
  invoke: (callback: (answer?: Answer | null, error?: unknown) => void) => unknown,
  { name, timeoutMs, environment }: CallOptions,
): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const stopTimer = environment.schedule(
      () => reject(new ProviderError('timeout', `${name} has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const fail = (error: unknown): void => {
      stopTimer()
      reject(
        error instanceof ProviderError
          ? error
          : new ProviderError('failed', `${name} failed: ${describe(error)}`, error),
      )
    }
    const succeed = (answer: Answer | null): void => {
      stopTimer()
      resolve(answer)
    }
    const callback = (answer?: Answer | null, error?: unknown): void => {
      if (error !== undefined && error !== null) fail(error)
      else succeed(answer ?? null)
    }
    try {
      const returned = invoke(callback)
      if (!isThenable(returned)) return
      const takesCallback = provider.length > place
      returned.then((answer) => {
        // An async function that answers by its callback resolves with nothing, and maybe before it calls.
        if (answer !== undefined || !takesCallback) succeed((answer as Answer | undefined) ?? null)
      }, fail)
    } catch (error) {
      fail(error)
    }
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
