/** What a worker does for whoever started it, by name. Arguments and results are copied from process to process. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>

export interface CallMessage {
  readonly id: number
  readonly name: string
  readonly argument: unknown
}

export type AnswerMessage =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

/** Makes this process a worker: what its parent calls is answered one by one or side by side, as the calls take. */
export function serveCalls(calls: Calls): void {
  const send = (message: AnswerMessage): void => {
    process.send?.(message)
  }
  process.on('message', ({ id, name, argument }: CallMessage) => {
    const call = calls[name] as ((argument: unknown) => unknown) | undefined
    Promise.resolve()
      .then(() => {
        if (!call) throw new Error(`There is no call ${name}`)
        return call(argument)
      })
      .then(
        (result) => send({ id, result }),
        (error: unknown) =>
          send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  process.once('disconnect', () => process.exit())
}
