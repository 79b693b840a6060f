import * as sha256 from 'lib0/hash/sha256'
import * as string from 'lib0/string'
import { type Fields, member, readVersion } from '../json/fields.js'
import { readChannel } from '../wire/channel.js'

/** Six bytes: ids stay below 2^53. */
const ID_BYTES = 6

/** True for a reminder that its server knows by an id. */
export function hasReminderId(reminder: Fields): boolean {
  return readVersion(member(reminder, 'id', 'reminder_id', 'reminderID', 'reminderId')) !== 0
}

/**
 * Gives a reminder that the app made without an id one that follows from its channel, message, type and text, so that it is
 * the same reminder on every device and each time it is saved.
 *
 * @throws ParleyError with code `invalid-argument` that names the member of the channel
 */
export function withReminderId(reminder: Fields, field: string): Fields {
  if (hasReminderId(reminder)) return reminder
  const { channelId, channelType } = readChannel(reminder, field)
  const named = [
    channelId,
    channelType,
    String(member(reminder, 'message_id', 'messageID', 'messageId') ?? ''),
    String(member(reminder, 'reminder_type', 'reminderType', 'type') ?? ''),
    String(reminder.text ?? ''),
  ]
  const digest = sha256.digest(string.encodeUtf8(JSON.stringify(named)))
  let id = 0
  for (const byte of digest.slice(0, ID_BYTES)) id = id * 256 + byte
  return { ...reminder, id: id + 1 }
}
