import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AnswerMessage, CallMessage, Calls } from './serveCalls.js'

/** A process of its own that does what it is called for. */
export interface Worker<Served extends Calls> {
  readonly pid: number
  call: <Name extends keyof Served & string>(
    name: Name,
    ...argument: Parameters<Served[Name]>
  ) => Promise<Awaited<ReturnType<Served[Name]>>>
  /** Ends the process. */
  stop: () => Promise<void>
}

/**
 * Starts a module that serves calls (see `serveCalls`) in a process of its own: what is measured and what measures must not
 * share an event loop, a heap or a garbage collector.
 */
export function startWorker<Served extends Calls>(
  module: URL,
  nodeFlags: readonly string[] = [],
): Worker<Served> {
  const child = fork(fileURLToPath(module), { serialization: 'advanced', execArgv: [...nodeFlags] })
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  let lastId = 0
  child.on('message', (answer: AnswerMessage) => {
    const call = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) call?.reject(new Error(answer.error))
    else call?.resolve(answer.result as never)
  })
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${code}`))
    waiting.clear()
  })
  return {
    pid: child.pid as number,
    call: (name, argument?: unknown) =>
      new Promise((resolve, reject) => {
        const message: CallMessage = { id: ++lastId, name, argument }
        waiting.set(message.id, { resolve, reject })
        child.send(message)
      }),
    async stop() {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
