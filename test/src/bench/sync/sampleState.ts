import { createStore, type Store } from '@parley/core'
import * as Y from 'yjs'

/** How many messages each conversation got. */
const MESSAGES = 20
const START_MS = 1_700_000_000_000
const STEP_MS = 60_000
const SEED = 20_260_101

/**
 * The document of a user's conversations after a while of use: messages came one at a time to one of two devices that were
 * connected, some were read, some answered with a draft, some conversations are pinned. The same each time.
 */
export function sampleState(conversations: number): Uint8Array {
  const devices = [0, 1].map((place) => createStore({ userId: 'me', deviceName: `Device ${place}` }))
  const random = createRandom(SEED)
  const seqs = new Map<number, number>()
  for (let step = 0; step < conversations * MESSAGES; step++) {
    const group = random(conversations)
    const device = devices[random(devices.length)] as Store
    const channel = { channelId: `group-${group}`, channelType: 2 }
    const messageSeq = (seqs.get(group) ?? 0) + 1
    seqs.set(group, messageSeq)
    device.receive({
      channel,
      messageSeq,
      messageId: String(1_000_000_000_000_000n + BigInt(step)),
      clientMsgNo: `5b6c0f3e-${step}`,
      fromUid: `author-${random(7)}`,
      timestamp: START_MS + step * STEP_MS,
      payload: {
        type: 1,
        content: `a message of about eighty characters, which is as long as people write, no ${step}`,
      },
    })
    const conversation = device.conversation(channel)
    if (random(3) === 0) conversation.markRead(messageSeq)
    if (random(20) === 0) conversation.draft.set(`an answer to no ${step}`)
    if (random(400) === 0) conversation.pin()
    for (const other of devices) if (other !== device) send(device, other)
  }
  const [first] = devices
  if (!first) throw new Error('there is no device')
  for (const device of devices) {
    device.maintain()
    if (device !== first) send(device, first)
  }
  const state = Y.encodeStateAsUpdate(first.doc)
  for (const device of devices) device.close()
  return state
}

function send(from: Store, to: Store): void {
  to.applyUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
}

/** Numbers below a bound, the same for the same seed (a linear congruential generator, Numerical Recipes). */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
