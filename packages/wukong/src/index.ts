export { ExactInteger, exactInteger, parseExactJson, stringifyExactJson } from './json/exactJson.js'

export {
  encodeLastMsgSeqs,
  parseLastMsgSeqs,
  type LastMsgSeq,
  type TakeLastMsgSeq,
} from './wire/lastMsgSeqs.js'
export { isUnlisted, parentOf } from './wire/channel.js'
export { mentionsOf, type OpaquePayload, type PayloadForm } from './wire/payload.js'
export { readMessage, type ReadMessageContext, type SkipReason } from './wire/readMessage.js'
export { writeMessage, type WireMessage } from './wire/writeMessage.js'
export {
  readConversation,
  type ListedConversation,
  type ReadConversationContext,
} from './wire/readConversation.js'
export {
  writeConversation,
  type Shape,
  type WireConversation,
  type WireEmbeddedExtra,
  type WriteConversationOptions,
} from './wire/writeConversation.js'
export { readSyncAnswer, type ReadAnswerContext, type SyncAnswer } from './wire/readAnswer.js'
export {
  readV3Conversation,
  writeV3Conversation,
  type WireV3Conversation,
  type WireV3Message,
} from './wire/v3.js'
export { extraOf, readExtra, writeExtra, type ConversationExtra, type WireExtra } from './wire/extra.js'
export {
  fromReminder,
  readReminder,
  REMINDER_TYPES,
  toReminderInput,
  writeReminder,
  type WireReminder,
  type WukongReminder,
} from './wire/reminder.js'

export { decodeIndexRow, encodeIndexRow, type IndexRow } from './versions/indexRow.js'
export type { RowColumns } from './versions/rowTable.js'
export type { Shown, ShownState } from './versions/shown.js'
export {
  createVersionIndex,
  rebuildVersionIndex,
  type StoredVersionIndex,
  type VersionGap,
  type VersionIndex,
  type VersionIndexChange,
} from './versions/versionIndex.js'
export { readHeldSeqs, type HeldSeqs } from './versions/heldSeqs.js'
export {
  selectConversations,
  selectExtras,
  selectReminders,
  type SelectedConversation,
  type Selection,
  type SyncRequest,
} from './versions/select.js'
export { createVectorIndex, type Clocks, type VectorIndex, type VectorStep } from './versions/vectorIndex.js'

export {
  createConversationManager,
  type ConversationManager,
} from './manager/conversationManager.js'
export type { ExtraUpdate } from './manager/saveExtra.js'
export {
  createReminderManager,
  type ReminderDelegate,
  type ReminderManager,
} from './manager/reminderManager.js'
export type { ConversationDelegate } from './manager/delegates.js'
export type { WukongConversation, WukongConversationExtra, WukongMessage } from './manager/model.js'
export {
  MAX_ATTEMPTS,
  PROVIDER_TIMEOUT_MS,
  RETRY_DELAY_MS,
  UPLOAD_DELAY_MS,
  type Emulation,
  type ManagerOptions,
} from './manager/options.js'
export { ProviderError, type ProviderErrorCode } from './manager/callProvider.js'
export type {
  OutgoingExtra,
  ReminderDoneProvider,
  ReminderProvider,
  ResultCallback,
  SyncConversationAck,
  SyncConversationExtraProvider,
  SyncConversationProvider,
  UpdateConversationExtraProvider,
  VersionCallback,
} from './manager/providers.js'
export type { SyncOutcome } from './manager/syncLoop.js'

export { installProviders, type InstalledProviders, type InstallOptions } from './sdk/installProviders.js'
export type { SdkModule } from './sdk/types.js'

export {
  createWkim,
  type MsgExtraUpdate,
  type Wkim,
  type WkimConversationManager,
  type WkimOptions,
  type WkimReminderManager,
} from './wkim/createWkim.js'
export type { ListenerOf } from './wkim/listeners.js'
export type { WKConversationMsgExtra, WKReminder, WKUIConversationMsg } from './wkim/models.js'
