export {
  createStore,
  type RebuildOptions,
  type RebuiltDrafts,
  type Readable,
  type Store,
  type StoreOptions,
} from './store/createStore.js'
export type { Cursors } from './store/cursors.js'
export type { ExportedConversation, ExportedState } from './store/exportState.js'

export {
  channelKey,
  MAX_ID_LENGTH,
  parseChannelKey,
  type Channel,
  type ChannelKey,
} from './conversation/channel.js'
export type { Conversation, ConversationField, KeptPosition, Reminder } from './conversation/conversation.js'
export {
  MUTE_FOREVER,
  type ConversationHandle,
  type PinPlace,
  type ReminderInput,
} from './conversation/conversationHandle.js'
export type { Provided } from './conversation/facts.js'
export { fitMessage } from './conversation/fitMessage.js'
export { MAX_MESSAGE_SEQ, type LastMessage, type Message } from './conversation/message.js'
export type { ProvidedConversation } from './conversation/provide.js'
export type { Run } from './conversation/runs.js'

export type { DeltaInsert, DraftBody, DraftContent, DraftExtras } from './drafts/content.js'
export type { Draft, Submission } from './drafts/draft.js'
export type {
  DraftText,
  DraftView,
  MessageEdit,
  PendingSend,
  PlaceDrafts,
  RecoveredDraft,
} from './drafts/draftView.js'
export type { ImportedDraft } from './drafts/importedDraft.js'
export type { UnfinishedDraft, UnfinishedWhere } from './drafts/unfinished.js'
export { smallestEdit, type TextEdit } from './drafts/smallestEdit.js'
export { MAX_DRAFT_LENGTH } from './drafts/textEdit.js'

export type { ChangeBatch, ConversationChange } from './list/changes.js'
export type { ListFilter, ListSnapshot, ListView, ListWindow } from './list/listView.js'
export type { Totals } from './list/totals.js'

export { detachMessages, type DetachedMessages } from './detached/detachMessages.js'
export { detachSweep, type DetachedSweep } from './detached/detachSweep.js'
export type { DetachedUpdate, DetachedWriter } from './detached/detachedWriter.js'

export {
  decodeUpdate,
  decodeUpdateInSteps,
  isEmptyUpdate,
  MAX_DEPTH,
  references,
  type DecodedUpdate,
} from './document/decode.js'
export { encodeUpdate, type DeletedRanges, type StructRuns } from './document/encode.js'
export { findGap, type Gap } from './document/gap.js'
export { createIntake, type Intake, type IntakeResult } from './document/intake.js'
export { checkIntegration, maxIntegrationSteps } from './document/integrationSteps.js'
export { MAX_REGISTERS, UPDATE_LIMITS, type UpdateLimits } from './document/limits.js'
export { type PieceSize, splitUpdate } from './document/splitUpdate.js'
export { forgetTransactions, onUpdate, type DocumentUpdate } from './document/updates.js'

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
export {
  encodeToken,
  encodeTokenLifetime,
  MESSAGE_TOKEN,
  readToken,
  readTokenLifetime,
} from './protocol/token.js'

export {
  encodeDigestClaim,
  encodeDigestOutcome,
  MESSAGE_DIGEST,
  readDigestClaim,
  encodeLogPosition,
  readDigestAnswer,
  type DigestAnswer,
  type DigestClaim,
  type DigestOutcome,
} from './protocol/digest.js'

export {
  beginDigest,
  DIGEST_FORMAT,
  isSameHash,
  type DigestRun,
  type StateDigest,
} from './digest/documentDigest.js'
export type { StoreDigest } from './digest/storeDigest.js'

export { canonicalJson, MAX_VALUE_LENGTH } from './json/canonicalJson.js'
export type { Json } from './json/json.js'
export type { ClockHighWater } from './lattice/hlc.js'
export type { StampPart } from './lattice/stamp.js'
export { normalizeVersion, type Version } from './lattice/version.js'
export { createEmitter, type Emitter } from './emitter.js'
export { defaultEnvironment, type Environment } from './environment.js'
export { ParleyError, type ParleyErrorCode } from './errors.js'
