import type { Target } from './inputs.js'

/** Messages of one request; more are sent in several. */
const BATCH = 2_000
const TIMESTAMP_S = 1_204_353_600

/** A message as WuKongIM brings it, to one recipient in channel `g` unless `more` says otherwise. */
export function message(uid: string, seq: number, more: object = {}): object {
  return {
    channel_id: 'g',
    channel_type: 2,
    message_id: seq,
    message_seq: seq,
    from_uid: 'bob',
    timestamp: TIMESTAMP_S + seq,
    payload: { type: 1, content: `message ${seq}` },
    recipients: [uid],
    ...more,
  }
}

/** Gives the user so many conversations: `g`, or from `g0` on if there are several. */
export async function fillConversations({ url, uid, ingestToken }: Target, count: number): Promise<void> {
  for (let start = 0; start < count; start += BATCH) {
    const messages = Array.from({ length: Math.min(BATCH, count - start) }, (_, index) =>
      message(uid, 1, count === 1 ? {} : { channel_id: `g${start + index}` }),
    )
    const response = await fetch(`${url}/v1/ingest/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ingestToken}` },
      body: JSON.stringify({ messages }),
    })
    if (!response.ok)
      throw new Error(`the room could not be filled: ${response.status} ${await response.text()}`)
  }
}
