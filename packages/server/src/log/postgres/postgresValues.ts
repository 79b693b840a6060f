import type { ValueScope, ValueStore } from '../logStore.js'
import type { PostgresDatabase } from './database.js'
import { encodeValues } from './group.js'
import type { GroupWriter } from './groupWriter.js'
import { decodeName, encodeName } from './names.js'
import { readPages } from './readPages.js'
import * as statements from './statements.js'
import { decodeValues, type StoredValue } from './storedValues.js'

/** Creates the values beside the logs. They are written together with everything else. */
export function createPostgresValues(database: PostgresDatabase, groups: GroupWriter): ValueStore {
  return {
    async read(scope, names) {
      const asked = [encodeName(scope), names.map(encodeName)]
      const found = decodeValues(scope, await database.read<StoredValue>(statements.READ_VALUES, asked))
      return new Map(
        names.flatMap((name) => {
          const value = found.get(name)
          return value ? [[name, value] as const] : []
        }),
      )
    },
    async list(scope, { prefix, limit = Number.POSITIVE_INFINITY, reverse = false }) {
      const first = encodeName(prefix)
      // No byte of UTF-8 is as great as this one.
      const end = Buffer.concat([first, Buffer.from([0xff])])
      const statement = reverse ? statements.LIST_VALUES_DOWN : statements.LIST_VALUES_UP
      const asked = [encodeName(scope), first, end, Number.isFinite(limit) ? limit : null]
      return decodeValues(scope, await database.read<StoredValue>(statement, asked))
    },
    async write(scope, changes) {
      await groups.add({ kind: 'values', values: encodeValues(scope, changes) })
    },
    async *scopes() {
      for await (const scope of readPages(database, statements.SCOPES, 'scope')) {
        yield decodeName(scope) as ValueScope
      }
    },
  }
}
