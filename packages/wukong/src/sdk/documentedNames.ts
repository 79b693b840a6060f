import { ACTIONS, type SdkConversation, type SdkConversationManager, type SdkModule } from './types.js'

// The documentation of the SDK uses names that the SDK does not have. Apps written from it find them while the providers
// are installed.

/** Adds the names of the SDK's documentation to the SDK, as far as it has none of its own; returns what removes them. */
export function addDocumentedNames(sdk: SdkModule, manager: SdkConversationManager): () => void {
  const removals = [
    addProperty(sdk.Conversation.prototype, 'unreadCount', {
      get(this: SdkConversation) {
        return this.unread
      },
      set(this: SdkConversation, unread: number) {
        this.unread = unread
      },
    }),
    addProperty(manager, 'getConversations', { value: () => manager.conversations }),
    addProperty(manager, 'updateConversation', {
      value: (conversation: SdkConversation) =>
        manager.notifyConversationListeners(conversation, ACTIONS.update),
    }),
  ]
  return () => {
    for (const remove of removals) remove()
  }
}

function addProperty(target: object, name: string, property: PropertyDescriptor): () => void {
  if (name in target) return () => {}
  Object.defineProperty(target, name, { ...property, configurable: true })
  return () => Reflect.deleteProperty(target, name)
}
