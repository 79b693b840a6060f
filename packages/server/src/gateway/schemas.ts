/** What every mutation answers that worked. */
export const DONE = { status: 200 } as const

/** A client with 10,000 conversations lists them all in `last_msg_seqs`. */
export const SYNC_BODY_LIMIT = 8 * 1024 * 1024

// Clients in Go, Java and Objective-C send `null` for nothing, and some quote their numbers.
const text = { type: ['string', 'null'] } as const
const integer = { type: ['integer', 'string', 'null'] } as const

function object(properties: Readonly<Record<string, object>>): object {
  return { type: ['object', 'null'], properties }
}

const uid = { ...text, description: 'The user' }
const channel = {
  channel_id: { ...text, description: "A group's id, or the other person's user id" },
  channel_type: { ...integer, description: '1 a person, 2 a group, …' },
}
const sync = {
  version: { ...integer, description: 'The greatest version received; 0 for everything' },
  last_msg_seqs: { ...text, description: '`id:type:seq` for each conversation, joined by `|`' },
  msg_count: { ...integer, description: 'Messages for each conversation; without it there are none' },
}

export const conversationSyncBody = object({
  uid,
  ...sync,
  only_unread: integer,
  exclude_channel_types: { type: ['array', 'null'], items: integer },
  page: { ...integer, description: 'Everything is on page 1' },
  page_size: integer,
})

export const channelBody = object({ uid, ...channel })
export const setUnreadBody = object({ uid, ...channel, unread: integer })

export const tsddSyncBody = object({
  uid,
  login_uid: uid,
  ...sync,
  device_uuid: text,
})
export const tsddUnreadBody = object({
  uid,
  login_uid: uid,
  ...channel,
  unread: integer,
  message_seq: integer,
})
export const extraBody = object({
  browse_to: { ...integer, description: 'The newest message looked at; it only moves forward' },
  keep_message_seq: integer,
  keep_offset_y: integer,
  draft: text,
})
export const versionBody = object({ version: integer })
export const reminderSyncBody = object({
  version: integer,
  limit: { ...integer, description: 'At most so many, but never a part of a version' },
  channel_ids: { type: ['array', 'null'], description: 'Everything is for the user already' },
})
export const reminderDoneBody = {
  type: ['array', 'object', 'null'],
  items: { type: ['integer', 'string'] },
  description: 'Ids of reminders',
} as const
export const anyBody = object({})

/** Thousands of messages, or a group's members. */
export const INGEST_BODY_LIMIT = 32 * 1024 * 1024

const recipients = { type: ['array', 'null'], description: 'User ids; a person message goes to both without' }
const message = {
  type: 'object',
  description: "A message as WuKongIM's `msg.notify` webhook has it",
  properties: { ...channel, recipients },
}

export const ingestBody = {
  type: ['object', 'array'],
  items: message,
  description: 'A message, an array of them, or an object with `messages` and the `recipients` of all',
} as const
export const membersBody = {
  type: ['array', 'object'],
  description: 'User ids, or an object with them as `members`',
} as const
export const webhookBody = {
  type: ['array', 'object'],
  description: "WuKongIM's webhook; `event` says which",
} as const

export const listBody = object({
  uid,
  cursor: { ...text, description: 'Where the last page ended; empty for the first' },
  limit: {
    ...integer,
    description: '50 if left out, at most 200; more only where one change was in more conversations',
  },
  completed_coverage: {
    ...text,
    description: 'The `coverage` of the last listing that was done: what changed since',
  },
})
const channels = { type: ['array', 'null'], description: 'Objects with `channel_id` and `channel_type`' }
export const retryBody = object({ uid, channels })
export const channelsBody = object({ uid })
export const byChannelsBody = object({
  uid,
  channels,
  msg_count: { ...integer, description: 'Messages for each channel, 15 if left out' },
})
