const FIRST_ID = 1_000_000_000_000_000_000n

/** A message as WuKongIM's `msg.notify` webhook brings it, about as long as people write. */
export function wireMessage(group: number, messageSeq: number): object {
  const content = `message ${messageSeq} of about eighty characters, which is as long as people write them, more or less`
  return {
    header: { no_persist: 0, red_dot: 1, sync_once: 0 },
    message_id: (FIRST_ID + BigInt(group) * 100_000n + BigInt(messageSeq)).toString(),
    client_msg_no: `5b6c0f3e-${group}-${messageSeq}`,
    message_seq: messageSeq,
    from_uid: `author-${group % 7}`,
    channel_id: `group-${group}`,
    channel_type: 2,
    timestamp: 1_700_000_000 + group * 60 + messageSeq,
    payload: Buffer.from(JSON.stringify({ type: 1, content })).toString('base64'),
  }
}

/** Brings messages to a server as an IM server would. */
export async function ingest(
  url: string,
  messages: readonly object[],
  recipients: readonly string[],
): Promise<void> {
  const answer = await fetch(`${url}/v1/ingest/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages, recipients }),
  })
  if (!answer.ok) throw new Error(`Messages were answered with ${answer.status}: ${await answer.text()}`)
}

/** Gives users conversations, each with one message. */
export async function seed(url: string, users: readonly string[], conversations: number): Promise<void> {
  const messages = Array.from({ length: conversations }, (_, group) => wireMessage(group, 1))
  // Some at a time: the body of a request is bounded.
  for (let first = 0; first < users.length; first += SEEDED_AT_ONCE) {
    await ingest(url, messages, users.slice(first, first + SEEDED_AT_ONCE))
  }
}

const SEEDED_AT_ONCE = 500
