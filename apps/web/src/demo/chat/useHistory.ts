import { type Channel, channelKey } from '@parley/core'
import { useConversation } from '@parley/react'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { loadSampleChunk, loadSampleIndex } from '../sample/loadSample.js'
import type { SampleChunk, SampleLine } from '../sample/sampleFormat.js'
import { type ChatMessage, fromLastMessage } from './chatMessage.js'
import type { ChatServer } from './chatServer.js'
import { mergeHistory } from './mergeHistory.js'

/** A channel's messages, as far as they are loaded. */
export interface History {
  readonly messages: readonly ChatMessage[]
  /** True while there are older ones to load. */
  readonly hasOlder: boolean
  readonly loading: boolean
  /** False while messages after `from` may be missing, because they load or could not be loaded. */
  readonly complete: boolean
  readonly loadOlder: () => void
}

/**
 * The history of a channel: the sample's, what the chat server of this browser has, and the newest message of all. At first
 * the messages after the number `from` are loaded, and at least some; `null` waits until that is known. Give the component
 * that uses it the channel as its key.
 */
export function useHistory(
  channel: Channel,
  server: ChatServer,
  { withSample, from }: { readonly withSample: boolean; readonly from: number | null },
): History {
  const key = channelKey(channel)
  const { lastMessage } = useConversation(channel)
  const [chunks, setChunks] = useState<readonly SampleChunk[]>([])
  const [lines, setLines] = useState<readonly SampleLine[]>([])
  const [loading, setLoading] = useState(withSample)
  const [complete, setComplete] = useState(!withSample)
  const [attempt, setAttempt] = useState(0)
  const subscribe = useCallback((listener: () => void) => server.subscribe(listener), [server])
  const posted = useSyncExternalStore(subscribe, () => server.messages(channel))

  useEffect(() => {
    if (!withSample || from === null) return
    let stale = false
    const tryAgain = (): void => setAttempt(attempt + 1)
    loadSampleIndex()
      .then(async ({ history }) => {
        const known = history[key] ?? []
        const wanted = known.filter(({ toSeq }, place) => toSeq > from || place === known.length - 1)
        const loaded = await Promise.all(wanted.map(({ file }) => loadSampleChunk(file)))
        if (stale) return
        setChunks(known.slice(0, known.length - wanted.length))
        setLines(loaded.flat())
        setComplete(true)
      })
      .catch(() => {
        // Off the network before it was ever loaded; the newest message is there anyway.
        if (!stale) addEventListener('online', tryAgain, { once: true })
      })
      .finally(() => {
        if (!stale) setLoading(false)
      })
    return () => {
      stale = true
      removeEventListener('online', tryAgain)
    }
  }, [key, withSample, from, attempt])

  const loadOlder = useCallback(() => {
    const next = chunks.at(-1)
    if (!next || loading) return
    setLoading(true)
    loadSampleChunk(next.file)
      .then((older) => {
        setChunks((known) => known.filter((chunk) => chunk !== next))
        setLines((known) => [...older, ...known])
      })
      .catch(() => {
        // The button stays, to try again.
      })
      .finally(() => setLoading(false))
  }, [chunks, loading])

  const messages = useMemo(
    () =>
      mergeHistory(lines, posted, lastMessage && !lastMessage.removed ? fromLastMessage(lastMessage) : null),
    [lines, posted, lastMessage],
  )
  return { messages, hasOlder: chunks.length > 0, loading, complete, loadOlder }
}
