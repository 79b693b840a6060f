// The parts of the npm package wukongimjssdk that the adapter touches, as its version 1.0.4 and later ones have them.
// Structural, so that this package does not depend on it.

export interface SdkChannel {
  channelID: string
  channelType: number
  isEqual(other: SdkChannel): boolean
}

export interface SdkContent {
  contentType: number
  contentObj?: unknown
  decode(data: Uint8Array): void
  encodeJSON(): object
}

export interface SdkMessage {
  header: { reddot: boolean; noPersist: boolean; syncOnce: boolean; dup: boolean }
  messageID: string
  messageSeq: number
  clientSeq: number
  clientMsgNo: string
  fromUID: string
  channel: SdkChannel
  timestamp: number
  content: SdkContent
  status: number
  isDeleted: boolean
  readonly contentType: number
}

export interface SdkExtra {
  channel: SdkChannel
  browseTo: number
  keepMessageSeq: number
  keepOffsetY: number
  draft?: string
  version: number
}

export interface SdkConversation {
  channel: SdkChannel
  unread: number
  timestamp: number
  lastMessage?: SdkMessage | undefined
  extra?: unknown
  remoteExtra: SdkExtra
  reminders: SdkReminder[]
}

export interface SdkReminder {
  channel: SdkChannel
  reminderID: number
  messageID: string
  messageSeq: number
  reminderType: number
  text?: string
  data?: unknown
  isLocate: boolean
  version: number
  done: boolean
}

type ConversationListener = (conversation: SdkConversation, action: number) => void
type MessageListener = (message: SdkMessage) => void
type SendListener = (ack: SdkSendAck) => void

/** The answer of an IM server to a message that this page sent. */
export interface SdkSendAck {
  clientSeq: number
  messageSeq: number
  /** A bigint-like object or a number; its text has the digits. */
  messageID: unknown
  /** 1 for a message that was accepted. */
  reasonCode: number
}

export interface SdkConversationManager {
  conversations: SdkConversation[]
  openConversation?: SdkConversation | undefined
  findConversation(channel: SdkChannel): SdkConversation | undefined
  removeConversation(channel: SdkChannel): void
  updateOrAddConversation(message: SdkMessage): void
  createEmptyConversation(channel: SdkChannel): SdkConversation
  addConversationListener(listener: ConversationListener): void
  removeConversationListener(listener: ConversationListener): void
  notifyConversationListeners(conversation: SdkConversation, action: number): void
}

export interface SdkProvider {
  syncConversationsCallback: (filter?: unknown) => Promise<SdkConversation[]>
  syncConversationExtrasCallback?: ((version: number) => Promise<SdkExtra[] | undefined>) | undefined
  syncRemindersCallback?: ((version: number) => Promise<SdkReminder[]>) | undefined
  reminderDoneCallback?: ((ids: number[]) => Promise<void>) | undefined
}

export interface SdkInstance {
  config: { uid?: string; provider: SdkProvider }
  conversationManager: SdkConversationManager
  chatManager: {
    addMessageListener(listener: MessageListener): void
    removeMessageListener(listener: MessageListener): void
    addMessageStatusListener(listener: SendListener): void
    removeMessageStatusListener(listener: SendListener): void
  }
  getMessageContent(contentType: number): SdkContent
}

/** The named exports of the package: all of `wukongimjssdk/lib/sdk` in 1.0.4, of its root in later versions. */
export interface SdkModule {
  readonly WKSDK: { shared(): SdkInstance }
  readonly Channel: new (channelID: string, channelType: number) => SdkChannel
  readonly Conversation: new () => SdkConversation
  readonly ConversationExtra: new () => SdkExtra
  readonly Message: new () => SdkMessage
  readonly Reminder: new () => SdkReminder
}

/** What its listeners are told: `ConversationAction` of the package. */
export const ACTIONS = { add: 0, update: 1, remove: 2 } as const
