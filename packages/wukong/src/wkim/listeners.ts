/** A listener in Kotlin's and Dart's way, a function, or in Java's, an object with one method. */
export type ListenerOf<Name extends string, Method extends (...args: never[]) => unknown> =
  | Method
  | { readonly [Key in Name]: Method }

/** Listeners by key, as Android's and Flutter's managers hold them: adding one under a known key replaces the other. */
export interface KeyedListeners<Name extends string, Method extends (...args: never[]) => unknown> {
  add: (key: string, listener: ListenerOf<Name, Method>) => void
  remove: (key: string) => void
  call: (...args: Parameters<Method>) => void
}

/** Creates {@link KeyedListeners}; a listener that throws is reported, and the others are called. */
export function createKeyedListeners<Name extends string, Method extends (...args: never[]) => unknown>(
  name: Name,
  reportError: (error: unknown) => void,
): KeyedListeners<Name, Method> {
  const listeners = new Map<string, ListenerOf<Name, Method>>()
  return {
    add: (key, listener) => void listeners.set(key, listener),
    remove: (key) => void listeners.delete(key),
    call(...args) {
      for (const listener of [...listeners.values()]) {
        try {
          methodOf(name, listener)(...args)
        } catch (error) {
          reportError(error)
        }
      }
    },
  }
}

/** The function of a listener. */
export function methodOf<Name extends string, Method extends (...args: never[]) => unknown>(
  name: Name,
  listener: ListenerOf<Name, Method>,
): Method {
  return typeof listener === 'function' ? listener : (((...args) => listener[name](...args)) as Method)
}
