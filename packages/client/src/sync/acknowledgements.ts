import type { Environment } from '@parley/core'

/** For each tab, by its id, the number of its last edit that something is known of. */
export type EditMarks = ReadonlyMap<string, number>

/** Finds out which edits are durable on the server, asking one question at a time. */
export interface Acknowledgements {
  /** Says that an edit of a tab, and all before it, are in the document, and with it on the way to the server. */
  note: (tab: string, edit: number) => void
  /** Begins to ask, now that everything in the document has been sent on the current connection. */
  connected: () => void
  /** Forgets the question under way; its answer will not come. */
  disconnected: () => void
  /** Takes the answer to the question with this token. */
  answered: (token: number) => void
  /** Asks once more, though everything was confirmed. */
  askAgain: () => void
  /** True while everything in the document was confirmed. */
  readonly settled: boolean
}

/** How long the server may take to answer; twice as long after each question that it left unanswered, up to ten times. */
const ANSWER_TIMEOUT_MS = 30_000
const MAX_ANSWER_TIMEOUT_MS = 300_000

export interface AcknowledgementsOptions {
  /** Asks the server whether all that was sent is durable; its answer brings the token back. */
  readonly ask: (token: number) => void
  /** Called with what is durable now. */
  readonly onDurable: (marks: EditMarks) => void
  /** True while the question or its answer may still be on the line, behind what is sent and received meanwhile. */
  readonly isTransferring: () => boolean
  /** Called when the server is connected and leaves a question unanswered. */
  readonly onUnanswered: () => void
  readonly schedule: Environment['schedule']
}

/** Creates {@link Acknowledgements}. */
export function createAcknowledgements(options: AcknowledgementsOptions): Acknowledgements {
  const { ask, onDurable, schedule } = options
  const marks = new Map<string, number>()
  let isConnected = false
  // Nothing is taken for granted: what was loaded has to be confirmed once too.
  let dirty = true
  let token = 0
  let question: { token: number; marks: EditMarks } | null = null
  let unanswered = 0
  let cancelTimeout = (): void => {}

  let isPumping = false
  /**
   * Once the task is over. An edit is noted by one listener of the document and sent by another, and the question must
   * not overtake it: its answer would speak for what the server has not seen.
   */
  const pumpLater = (): void => {
    if (isPumping) return
    isPumping = true
    queueMicrotask(() => {
      isPumping = false
      pump()
    })
  }

  const pump = (): void => {
    if (!isConnected || !dirty || question) return
    dirty = false
    token++
    question = { token, marks: new Map(marks) }
    ask(token)
    watch()
  }

  const watch = (): void => {
    const timeoutMs = Math.min(ANSWER_TIMEOUT_MS * 2 ** unanswered, MAX_ANSWER_TIMEOUT_MS)
    cancelTimeout = schedule(() => {
      if (options.isTransferring()) {
        watch()
        return
      }
      unanswered++
      options.onUnanswered()
    }, timeoutMs)
  }

  return {
    note(tab, edit) {
      marks.set(tab, Math.max(edit, marks.get(tab) ?? edit))
      dirty = true
      pumpLater()
    },
    connected() {
      isConnected = true
      pumpLater()
    },
    disconnected() {
      isConnected = false
      cancelTimeout()
      question = null
      dirty = true
    },
    answered(answer) {
      if (question?.token !== answer) return
      const { marks: durable } = question
      cancelTimeout()
      unanswered = 0
      question = null
      onDurable(durable)
      pumpLater()
    },
    askAgain() {
      dirty = true
      pumpLater()
    },
    get settled() {
      return !dirty && question === null
    },
  }
}
