import { createStore, type Message, onUpdate, type Store } from '@parley/core'
import * as Y from 'yjs'
import { type Benchmark, compare, median, type Row, row } from '../measure.js'

const CONVERSATIONS = 10_000

/** What the store costs: an action, loading, bytes on the wire and in the document. */
export const cost: Benchmark = {
  name: 'cost',
  run: () => [actionToObservers(), loading(), ...bytesOnTheWire(), documentSize()],
}

const environment = { schedule: () => () => {} }

function channelOf(place: number): Message['channel'] {
  return { channelId: `user-${place.toString(36)}`, channelType: 1 }
}

function messageOf(place: number): Message {
  const messageSeq = (place % 900) + 1
  return {
    channel: channelOf(place),
    messageSeq,
    messageId: String(1_000_000_000_000_000n + BigInt(place)),
    clientMsgNo: `irc-de0b6b3a764${place}`,
    fromUid: `user-${place.toString(36)}`,
    timestamp: 1_204_353_600_000 + place * 1000,
    payload: {
      type: 1,
      content: `some text of a message that is about eighty characters long, more or less, no ${place}`,
    },
  }
}

function sync(stores: readonly Store[]): void {
  for (const from of stores) {
    for (const to of stores) {
      if (from === to) continue
      to.applyUpdate(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
    }
  }
}

/** A list of conversations in which four writers have been busy. */
function writtenByFour(conversations: number, writesEach: number, burst: number): Store[] {
  const stores = Array.from({ length: 4 }, () => createStore({ userId: 'me', environment }))
  stores[0]?.receive(Array.from({ length: conversations }, (_, place) => messageOf(place)))
  sync(stores)
  let place = 0
  for (let round = 0; round < writesEach / burst; round++) {
    for (const store of stores) {
      for (let write = 0; write < burst; write++) {
        place = (place + 7919) % conversations
        const conversation = store.conversation(channelOf(place))
        if (write % 3 === 0) conversation.markRead((round % 900) + 1)
        else if (write % 3 === 1) conversation.pin()
        else conversation.setAttribute('note', round)
      }
    }
    if (round % 10 === 9) sync(stores)
  }
  sync(stores)
  return stores
}

function actionToObservers(): Row {
  const [store] = writtenByFour(CONVERSATIONS, 5000, 10) as [Store]
  const list = store.list({}, { offset: 0, limit: 50 })
  let seen = 0
  list.subscribe(() => seen++)
  store.onChange(({ changes }) => {
    seen += changes.length
  })
  const doc = new Y.Doc()
  const map = doc.getMap<unknown>('state')
  doc.transact(() => {
    for (let place = 0; place < CONVERSATIONS; place++) map.set(`1:user-${place.toString(36)}/read`, [1])
  })
  map.observe(() => seen++)
  const times: [number[], number[]] = [[], []]
  for (let run = 0; run < 4000; run++) {
    const place = (run * 7919) % CONVERSATIONS
    const conversation = store.conversation(channelOf(place))
    let start = performance.now()
    conversation.markRead(1000 + run)
    times[0].push(performance.now() - start)
    start = performance.now()
    map.set(`1:user-${place.toString(36)}/read`, [1000 + run])
    times[1].push(performance.now() - start)
  }
  if (seen === 0) throw new Error('nobody heard of the actions')
  const [ours, reference] = [median(times[0]) * 1000, median(times[1]) * 1000]
  return row(
    `local action to observers, ${CONVERSATIONS} conversations, vs Y.Map.set`,
    'µs',
    ours,
    reference,
    { atMost: 5 },
  )
}

function loading(): Row {
  const store = createStore({ userId: 'me', environment })
  const messages = Array.from({ length: CONVERSATIONS }, (_, place) => messageOf(place))
  store.receive(messages)
  store.transact(() => {
    for (let place = 0; place < CONVERSATIONS; place++) {
      const conversation = store.conversation(channelOf(place))
      conversation.markRead((place % 900) + 1 - (place % 3))
      if (place % 50 === 0) conversation.pin()
      if (place % 20 === 0) conversation.mute()
    }
  })
  const update = Y.encodeStateAsUpdate(store.doc)
  const json = JSON.stringify(store.list({ archived: 'any' }).getSnapshot().conversations)
  const plain = JSON.stringify(
    messages.map((message, place) => ({
      ...message,
      readSeq: message.messageSeq - (place % 3),
      pin: place % 50 === 0 ? `a${place}` : null,
      muteUntil: place % 20 === 0 ? 8.64e15 : 0,
    })),
  )
  if (json.length < plain.length) throw new Error('the store holds less than the reference')
  const [ours, reference] = compare(
    15,
    () => {
      const doc = new Y.Doc()
      const loaded = createStore({ userId: 'me', doc, environment })
      loaded.applyUpdate(update)
      const { total } = loaded.list({}, { offset: 0, limit: 50 }).getSnapshot()
      if (total !== CONVERSATIONS || loaded.totals.getSnapshot().unread === 0)
        throw new Error('not all was loaded')
    },
    () => {
      const all = JSON.parse(plain) as Array<{ timestamp: number; pin: string | null }>
      all.sort((a, b) => Number(b.pin !== null) - Number(a.pin !== null) || b.timestamp - a.timestamp)
    },
  )
  return row(`load ${CONVERSATIONS} conversations, vs JSON.parse and sort`, 'ms', ours, reference, {
    atMost: 3.5,
  })
}

function bytesOnTheWire(): Row[] {
  const store = createStore({ userId: 'me', environment })
  const channel = { channelId: '6f1c9a52-0d0e-4a1b-9f43-2f1a5b7c8d9e', channelType: 2 }
  store.receive({ ...messageOf(1), channel, messageSeq: 12_345 })
  const conversation = store.conversation(channel)
  let bytes = 0
  onUpdate(store.doc, ({ update }) => {
    bytes += update.byteLength
  })
  const actions = {
    read: () => conversation.markRead(12_345),
    pin: () => conversation.pin(),
    mute: () => conversation.mute(),
    mark: () => conversation.markUnread(),
  }
  return Object.entries(actions).map(([name, action]) => {
    bytes = 0
    action()
    return row(`bytes on the wire: ${name}, channel id of 36 characters`, 'bytes', bytes, null, {
      atMost: 120,
    })
  })
}

function documentSize(): Row {
  // Few enough conversations that each register is overwritten many times, and the messages do not hide what that leaves.
  const conversations = 1000
  const stores = writtenByFour(conversations, 25_000, 10)
  for (const idle of stores) idle.maintain()
  sync(stores)
  const [store] = stores as [Store]
  const fresh = createStore({ userId: 'me', environment })
  fresh.receive(Array.from({ length: conversations }, (_, place) => messageOf(place)))
  const before = Y.encodeStateAsUpdate(fresh.doc).byteLength
  fresh.transact(() => {
    for (const { channel, readSeq, attributes, pinned } of store.list({ archived: 'any' }).getSnapshot()
      .conversations) {
      const conversation = fresh.conversation(channel)
      if (readSeq > 0) conversation.markRead(readSeq)
      if (pinned) conversation.pin()
      for (const [name, value] of Object.entries(attributes)) conversation.setAttribute(name, value)
    }
  })
  // Without the messages, which are the same in both.
  const size = (from: Store): number => (Y.encodeStateAsUpdate(from.doc).byteLength - before) / 1024
  return row(
    'document after 100,000 writes by 4 writers in bursts of 10, messages aside, vs written fresh',
    'KiB',
    size(store),
    size(fresh),
    { atMost: 2 },
  )
}
