import { runLogStoreTests } from './acceptance.js'
import { createMemoryLog } from './memoryLog.js'

runLogStoreTests('memory', { open: async () => createMemoryLog() })
