export { ACTIONS, type Action, messageAt } from './actions.js'
export { type HistoryOptions, type HistoryReport, runHistory, settle } from './history.js'
export { checkInvariants, INVARIANTS, type Invariant } from './invariants.js'
export { createRandom, type Random } from './random.js'
export {
  type Act,
  charactersOf,
  createTruth,
  type SendDetail,
  type Truth,
  type TypedCharacter,
  type Written,
  type WrittenEntry,
} from './truth.js'
export { createWorld, type Device, USER_ID, type World, type WorldOptions } from './world.js'
