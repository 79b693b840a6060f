import { createEmitter } from '@parley/core'
import { useSyncExternalStore } from 'react'

const TICK_MS = 30_000

const ticks = createEmitter<void>(console.error)
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  const unsubscribe = ticks.subscribe(listener)
  if (timer === undefined) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      ticks.emit()
    }, TICK_MS)
  }
  return () => {
    unsubscribe()
    if (ticks.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time, to half a minute, for what is told relative to it. One timer serves all. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
