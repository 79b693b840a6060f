import type { Level, LevelChange } from './levelDatabase.js'
import { valueKey, valueName, valuesFrom } from './levelKeys.js'
import type { ValueRange, ValueScope } from './logStore.js'
import { decodeValue, encodeValue } from './rowCodec.js'

/** Reads values; one that is damaged is not there. */
export async function readValues(
  level: Level,
  scope: ValueScope,
  names: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const keys = names.map((name) => valueKey(scope, name))
  return valuesBy(names, keys, await level.getMany(keys))
}

/** Reads the value under a key; `null` if there is none, or it is damaged. */
export async function readValue(level: Level, key: string): Promise<Uint8Array | null> {
  const stored = await level.get(key)
  const value = stored && decodeValue(key, stored)
  return value instanceof Uint8Array ? value : null
}

/** Reads values, of whichever scopes, by the keys they lie under; one that is damaged is not there. */
export async function readValuesAt(level: Level, keys: string[]): Promise<Map<string, Uint8Array>> {
  return valuesBy(keys, keys, await level.getMany(keys))
}

/** What is stored under keys, by the names that whoever asks has for them. */
function valuesBy(
  names: readonly string[],
  keys: readonly string[],
  stored: ReadonlyArray<Uint8Array | undefined>,
): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>()
  for (let index = 0; index < keys.length; index++) {
    const bytes = stored[index]
    const value = bytes && decodeValue(keys[index] as string, bytes)
    if (value instanceof Uint8Array) values.set(names[index] as string, value)
  }
  return values
}

/** Reads the values whose names begin alike. */
export async function listValues(
  level: Level,
  scope: ValueScope,
  { prefix, limit = Number.POSITIVE_INFINITY, reverse = false }: ValueRange,
): Promise<Map<string, Uint8Array>> {
  const found = await level.iterator({ ...valuesFrom(scope, prefix), limit, reverse }).all()
  return new Map(
    found.flatMap(([key, stored]) => {
      const value = decodeValue(key, stored)
      return value instanceof Uint8Array ? [[valueName(key), value]] : []
    }),
  )
}

/** What is to be written so that values are as they are given. */
export function valueChanges(
  scope: ValueScope,
  values: ReadonlyMap<string, Uint8Array | null>,
): LevelChange[] {
  return [...values].map(([name, value]) => valueChange(valueKey(scope, name), value))
}

/** What is to be written so that a value is as it is given. */
export function valueChange(key: string, value: Uint8Array | null): LevelChange {
  return value ? { type: 'put', key, value: encodeValue(key, value) } : { type: 'del', key }
}
