export { type LogStoreSetup, runLogStoreTests } from './log/acceptance.js'
