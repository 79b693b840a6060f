/** Where small values are kept: `localStorage`, or a map. */
export interface KeyValue {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
  /** All keys, in no order. */
  keys: () => string[]
}

/** Keeps values as long as the page lives. */
export function createMemory(): KeyValue {
  const values = new Map<string, string>()
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => {
      values.set(key, value)
    },
    removeItem: (key) => {
      values.delete(key)
    },
    keys: () => [...values.keys()],
  }
}

/**
 * A {@link KeyValue} over `localStorage`. What it does not take, because it is full or blocked, is kept in memory and read
 * from there, so that the page works on with its own newest values.
 */
export function browserKeyValue(open: () => Storage = () => localStorage): KeyValue {
  const memory = createMemory()
  const attempt = <Result>(action: (storage: Storage) => Result): Result | undefined => {
    try {
      return action(open())
    } catch {
      return undefined
    }
  }
  const stored = (): string[] =>
    attempt((storage) =>
      Array.from({ length: storage.length }, (_, place) => storage.key(place) as string),
    ) ?? []
  return {
    getItem: (key) => memory.getItem(key) ?? attempt((storage) => storage.getItem(key)) ?? null,
    setItem(key, value) {
      const done = attempt((storage) => {
        storage.setItem(key, value)
        return true
      })
      if (done) memory.removeItem(key)
      else memory.setItem(key, value)
    },
    removeItem(key) {
      memory.removeItem(key)
      attempt((storage) => storage.removeItem(key))
    },
    keys: () => [...new Set([...memory.keys(), ...stored()])],
  }
}

/** Reads JSON that may be missing or of an older version of the app. */
export function readJson<Value>(storage: KeyValue, key: string, fallback: Value): Value {
  try {
    return (JSON.parse(storage.getItem(key) ?? 'null') as Value | null) ?? fallback
  } catch {
    return fallback
  }
}

/** What the keys of the demonstration's chat server begin with for one user. No user's prefix begins with another's. */
export function demoPrefix(userId: string): string {
  return `parley.demo/${encodeURIComponent(userId)}/`
}
