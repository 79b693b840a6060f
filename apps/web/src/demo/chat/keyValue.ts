/** Where small values are kept: `localStorage`, or a map. */
export interface KeyValue {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
}

/** Keeps values as long as the page lives. */
export function createMemory(): KeyValue {
  const values = new Map<string, string>()
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => {
      values.set(key, value)
    },
  }
}

/** The browser's `localStorage`, or memory where it is blocked or full. */
export function browserKeyValue(): KeyValue {
  const memory = createMemory()
  const attempt = <Result>(action: (storage: KeyValue) => Result): Result => {
    try {
      return action(localStorage)
    } catch {
      return action(memory)
    }
  }
  return {
    getItem: (key) => attempt((storage) => storage.getItem(key)),
    setItem: (key, value) => attempt((storage) => storage.setItem(key, value)),
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
