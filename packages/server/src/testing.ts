export { type BusSetup, runBusTests } from './bus/acceptance.js'
export { type LogStoreSetup, runLogStoreTests } from './log/acceptance.js'
export { createTestSchema, type TestSchema } from './log/postgres/testSchema.js'
