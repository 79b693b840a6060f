export { ParleyError, type ParleyErrorCode } from './errors.js'
export { type Environment, defaultEnvironment } from './environment.js'
export { createEmitter, type Emitter } from './emitter.js'
export { decodeUpdate, isEmptyUpdate, MAX_DEPTH, type DecodedUpdate } from './document/decode.js'
export { findGap, type Gap } from './document/gap.js'
export { createIntake, type Intake, type IntakeOptions, type IntakeResult } from './document/intake.js'
export { onUpdate, type DocumentUpdate } from './document/updates.js'
export {
  encodeAcknowledgement,
  encodeAcknowledgeRequest,
  MESSAGE_ACKNOWLEDGE,
  readAcknowledgement,
  readAcknowledgeRequest,
  SUBPROTOCOL,
  type Acknowledgement,
} from './protocol/acknowledge.js'
export { CLOSE_CODES, type CloseCode } from './protocol/closeCodes.js'
