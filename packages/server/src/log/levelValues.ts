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
  const stored = await level.getMany(keys)
  const values = new Map<string, Uint8Array>()
  for (const [index, name] of names.entries()) {
    const value = stored[index] && decodeValue(keys[index] as string, stored[index])
    if (value instanceof Uint8Array) values.set(name, value)
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
  return [...values].map(([name, value]) => {
    const key = valueKey(scope, name)
    return value ? { type: 'put', key, value: encodeValue(key, value) } : { type: 'del', key }
  })
}
