import { type LogStore, openPostgresLog } from '../src/index.js'
import type { TestSchema } from '../src/testing.js'
import { runForgettingTests } from './support/forgetting.js'
import { newSchema } from './support/services.js'

const schemas = new WeakMap<LogStore, TestSchema>()

runForgettingTests('PostgreSQL', {
  async open() {
    const schema = await newSchema()
    const store = await openPostgresLog({ url: schema.url })
    schemas.set(store, schema)
    return store
  },
  async bytesOf(store) {
    const { query } = schemas.get(store) as TestSchema
    const columns = await query<{ table: string; column: string }>(
      `select table_name as table, column_name as column from information_schema.columns
      where table_schema = current_schema and data_type in ('bytea', 'text', 'jsonb')`,
    )
    const found: Buffer[] = []
    for (const { table, column } of columns) {
      const rows = await query<{ value: Buffer | string | null }>(`select ${column} as value from ${table}`)
      found.push(...rows.map(({ value }) => Buffer.from(value ?? '')))
    }
    return found
  },
})
