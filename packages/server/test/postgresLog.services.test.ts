import { type LogStore, openPostgresLog } from '../src/index.js'
import { runLogStoreTests, type TestSchema } from '../src/testing.js'
import { newSchema } from './support/services.js'

const schemas = new WeakMap<LogStore, TestSchema>()

async function openIn(schema: TestSchema): Promise<LogStore> {
  const store = await openPostgresLog({ url: schema.url })
  schemas.set(store, schema)
  return store
}

const schemaOf = (store: LogStore): TestSchema => schemas.get(store) as TestSchema

runLogStoreTests('PostgreSQL', {
  open: async () => openIn(await newSchema()),
  async reopen(store) {
    await store.close()
    return openIn(schemaOf(store))
  },
  join: (store) => openIn(schemaOf(store)),
  async damage(store, room, version) {
    await schemaOf(store).query(
      `update parley_rows n set bytes = set_byte(bytes, length(bytes) - 1, get_byte(bytes, length(bytes) - 1) # 1)
      from parley_rooms r where r.id = n.room_id and r.room = $1 and n.version = $2`,
      [Buffer.from(room), version],
    )
    return store
  },
})
