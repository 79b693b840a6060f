/** Does something again and again, each time so long after the last one ended, until the returned function is called. */
export function repeat(
  work: () => Promise<void>,
  everyMs: number,
  onError: (error: unknown) => void,
): () => void {
  let timer: NodeJS.Timeout
  let stopped = false
  const next = (): void => {
    if (stopped) return
    timer = setTimeout(() => void work().catch(onError).finally(next), everyMs)
    timer.unref()
  }
  next()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
