import { describe, expect, it } from 'vitest'
import { browserKeyValue, demoPrefix } from './keyValue.js'

/** A `localStorage` that takes `room` characters. */
function storageOf(room: number): Storage {
  const values = new Map<string, string>()
  const used = () => [...values].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  return {
    get length() {
      return values.size
    },
    key: (place) => [...values.keys()][place] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem(key, value) {
      const freed = (values.get(key)?.length ?? -key.length) + key.length
      if (used() - freed + key.length + value.length > room)
        throw new DOMException('full', 'QuotaExceededError')
      values.set(key, value)
    },
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
  }
}

describe('browserKeyValue', () => {
  it('[WEB14] gives back the newest value, also where localStorage did not take it', () => {
    const storage = storageOf(20)
    const values = browserKeyValue(() => storage)
    values.setItem('outbox', '[]')
    values.setItem('outbox', 'x'.repeat(100))
    expect(values.getItem('outbox')).toBe('x'.repeat(100))
    values.setItem('outbox', '[1]')
    expect(values.getItem('outbox')).toBe('[1]')
    expect(storage.getItem('outbox')).toBe('[1]')
  })

  it('[WEB14] keeps values in memory where localStorage is blocked, and removes them', () => {
    const values = browserKeyValue(() => {
      throw new DOMException('blocked', 'SecurityError')
    })
    values.setItem('outbox', '[]')
    expect([values.getItem('outbox'), values.keys()]).toEqual(['[]', ['outbox']])
    values.removeItem('outbox')
    expect([values.getItem('outbox'), values.keys()]).toEqual([null, []])
  })
})

describe('demoPrefix', () => {
  it('[WEB13] keeps users apart, whatever they are called', () => {
    const names = ['a', 'a.b', 'a/b', 'a/', 'A', 'a%2Fb', '']
    for (const one of names) {
      const others = names.filter((name) => name !== one && demoPrefix(name).startsWith(demoPrefix(one)))
      expect(others, one).toEqual([])
    }
  })
})
