import type { Environment, Version } from '@parley/core'
import { readVersion } from '../json/fields.js'
import { describeError } from './describeError.js'

/** Why a provider gave no answer. */
export type ProviderErrorCode = 'timeout' | 'failed'

/** An error of an app's own provider: it reported one, threw one, or never called back. */
export class ProviderError extends Error {
  override name = 'ProviderError'
  readonly code: ProviderErrorCode
  readonly #reason: unknown

  constructor(code: ProviderErrorCode, message: string, reason?: unknown) {
    super(message, reason instanceof Error ? { cause: reason } : undefined)
    this.code = code
    this.#reason = reason
  }

  /**
   * What the provider passed or threw, as it was; `undefined` after a time-out. An `Error` is the `cause` too. Consoles print
   * causes with all their members, and an object that is no error, such as a response, may hold a token.
   */
  get reason(): unknown {
    return this.#reason
  }
}

/** Wraps what an app's function threw or passed into a {@link ProviderError} that names the function and the cause. */
export function providerFailed(name: string, error: unknown): ProviderError {
  return error instanceof ProviderError
    ? error
    : new ProviderError('failed', `${name} failed: ${describeError(error)}`, error)
}

/** What a provider answered. */
export interface ProviderAnswer<Result> {
  readonly result: Result | null
  /** The version it named beside the result; 0 if it named none. */
  readonly version: Version
}

/** What the arguments of a callback say. */
export interface CallbackArguments {
  readonly result: unknown
  readonly version: unknown
  readonly error: unknown
}

/** How a provider is called. */
export interface CallOptions {
  /** The subject of the error's message. */
  readonly name: string
  readonly timeoutMs: number
  readonly environment: Pick<Environment, 'schedule'>
  /** Reads the arguments of the callback; {@link readResultArguments} by default. */
  readonly readArguments?: (args: readonly unknown[]) => CallbackArguments
}

/**
 * Calls a provider of either style. It answers once: by its callback or by the promise it returns, whichever is first; what
 * comes later is ignored. An error beside a result counts as an error, as it does in the SDK.
 *
 * @param provider the app's function, for its number of parameters: one that takes the callback answers by it
 * @param invoke calls it with the callback, which is its parameter number `place`
 * @returns what it answered; rejects with a {@link ProviderError}
 */
export function callProvider<Result>(
  provider: (...args: never[]) => unknown,
  place: number,
  invoke: (callback: (...args: unknown[]) => void) => unknown,
  { name, timeoutMs, environment, readArguments = readResultArguments }: CallOptions,
): Promise<ProviderAnswer<Result>> {
  return new Promise((resolve, reject) => {
    const stopTimer = environment.schedule(
      () => reject(new ProviderError('timeout', `${name} has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const fail = (error: unknown): void => {
      stopTimer()
      reject(providerFailed(name, error))
    }
    const succeed = (result: unknown, version?: unknown): void => {
      stopTimer()
      resolve({ result: (result ?? null) as Result | null, version: readVersion(version) })
    }
    const callback = (...args: unknown[]): void => {
      const { result, version, error } = readArguments(args)
      if (isNothing(error)) succeed(result, version)
      else if (typeof error === 'number' && !isNothing(result)) fail(`${error}. ${ARGUMENTS_HINT}`)
      else fail(error)
    }
    try {
      const returned = invoke(callback)
      if (!isThenable(returned)) return
      const takesCallback = provider.length > place
      returned.then((result) => {
        // An async function that answers by its callback resolves with nothing, and maybe before it calls.
        if (result !== undefined || !takesCallback) succeed(result)
      }, fail)
    } catch (error) {
      fail(error)
    }
  })
}

/** For those who leave the last argument out of `callback(conversations, version, null)`. */
const ARGUMENTS_HINT =
  'The callback takes two arguments, (result, error), or three, (result, version, error); pass null as the third'

/**
 * Reads the arguments of a callback that brings a result: two are (result, error), as in the SDK's header, three are
 * (result, version, error), as in the SDK's documentation.
 */
export function readResultArguments(args: readonly unknown[]): CallbackArguments {
  const [result, second, third] = args
  if (args.length < 3) return { result, version: undefined, error: second }
  // A version is never an object; an Error in its place is one.
  return isNothing(third) && typeof second === 'object' && second !== null
    ? { result, version: undefined, error: second }
    : { result, version: second, error: third }
}

/**
 * Reads the arguments of a callback that brings the version of an extra: two are (version, error), as in the SDK's header;
 * one is the error, as in the SDK's documentation, unless it is a version.
 */
export function readVersionArguments(args: readonly unknown[]): CallbackArguments {
  const [first, second] = args
  if (args.length < 2) {
    return isNothing(first) || isVersion(first)
      ? { result: first, version: first, error: undefined }
      : { result: undefined, version: undefined, error: first }
  }
  return args.length === 2 ? { result: first, version: first, error: second } : readThird(args)
}

function readThird([, version, error]: readonly unknown[]): CallbackArguments {
  return { result: version, version, error }
}

function isVersion(value: unknown): boolean {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    (typeof value === 'string' && /^\d+$/.test(value))
  )
}

function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
