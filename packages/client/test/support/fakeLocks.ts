interface Request {
  readonly callback: (lock: null) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

const abortError = (message: string) => new DOMException(message, 'AbortError')

/** The Web Locks of one browser, as far as tabs use them: exclusive, handed on in order, stolen on demand. */
export function createFakeLocks(): Pick<LockManager, 'request'> {
  const holders = new Map<string, Request>()
  const queues = new Map<string, Request[]>()

  const next = (name: string): void => {
    const request = queues.get(name)?.shift()
    if (request) grant(name, request)
  }
  const grant = (name: string, request: Request): void => {
    holders.set(name, request)
    queueMicrotask(async () => {
      try {
        const result = await request.callback(null)
        request.resolve(result)
      } catch (error) {
        request.reject(error)
      }
      if (holders.get(name) !== request) return
      holders.delete(name)
      next(name)
    })
  }
  const request = (name: string, options: LockOptions, callback: (lock: null) => unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const mine: Request = { callback, resolve, reject }
      if (options.steal) {
        holders.get(name)?.reject(abortError('The lock was stolen'))
        grant(name, mine)
        return
      }
      options.signal?.addEventListener('abort', () => {
        if (holders.get(name) === mine) return
        queues.set(
          name,
          (queues.get(name) ?? []).filter((other) => other !== mine),
        )
        reject(abortError('The request was aborted'))
      })
      if (holders.has(name)) queues.set(name, [...(queues.get(name) ?? []), mine])
      else grant(name, mine)
    })
  return { request: request as unknown as LockManager['request'] }
}
