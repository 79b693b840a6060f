import type { Logger } from '../../logger.js'
import type { Command } from './command.js'
import type { Pollers } from './pollers.js'

/**
 * Passes commands on to a user's clients, for an IM server that has connections to them. What it throws is logged; nobody
 * waits for it, and a client that was not told learns of the change when it next syncs.
 */
export type Notify = (uid: string, commands: readonly Command[]) => void | Promise<void>

/** Tells the clients that know only HTTP of what was stored, whoever did it. */
export interface Notifier {
  /** A row was stored in the log of a user. */
  rowStored: (uid: string, version: number) => void
  /** Tells what is still to be told. */
  finish: () => Promise<void>
}

export interface NotifierOptions {
  notify: Notify
  pollers: Pollers
  /** Takes what a user's clients are to be told of what was stored since a version, itself included. */
  takeCommands: (uid: string, since: number) => Promise<Command[]>
  logger: Logger
  /** How long changes are collected before they are told, in milliseconds. */
  collectMs: number
}

/** So many users are looked at at once: each needs its document. */
const CONCURRENCY = 8

/** Creates a {@link Notifier}. */
export function createNotifier({
  notify,
  pollers,
  takeCommands,
  logger,
  collectMs,
}: NotifierOptions): Notifier {
  /** The first version of each user that is still to be told. */
  const untold = new Map<string, number>()
  let timer: NodeJS.Timeout | null = null
  let telling: Promise<void> = Promise.resolve()

  const tell = async (uid: string, since: number): Promise<void> => {
    try {
      if (!(await pollers.has(uid))) return
      const commands = await takeCommands(uid, since)
      if (commands.length > 0) await notify(uid, commands)
    } catch (error) {
      logger.error({ room: uid, err: error }, 'clients could not be told of a change')
    }
  }
  const tellAll = async (): Promise<void> => {
    // What is stored from now on is told the next time.
    const waiting = [...untold]
    untold.clear()
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await tell(...next)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
  }
  const flush = (): Promise<void> => {
    if (timer) clearTimeout(timer)
    timer = null
    telling = telling.then(tellAll)
    return telling
  }

  return {
    rowStored(uid, version) {
      if (untold.has(uid) || pollers.isKnownToHaveNone(uid)) return
      untold.set(uid, version)
      timer ??= setTimeout(() => void flush(), collectMs).unref()
    },
    finish: flush,
  }
}
