import { splitUpdate } from '@parley/core'
import { encodeSyncAnswer, encodeUpdate } from './messages.js'

/**
 * How large a piece is. A browser shows nothing of a message that is not complete, so on a thin line each has to be through well
 * before either side takes the other for dead: this one takes 16 s at 1 KiB a second.
 */
const PIECE = { maxStructs: Number.POSITIVE_INFINITY, maxBytes: 16 * 1024 }

/** How much of an answer may wait in the socket. */
const MAX_UNSENT_BYTES = 128 * 1024

export interface AnswerOptions {
  /** Sends a message and calls `sent` when it has left the process, or cannot. */
  readonly send: (message: Uint8Array, sent: () => void) => void
  /** Called when a piece has left the process: the line moves. */
  readonly onProgress: () => void
  /** Called once when all has left. */
  readonly onSent: () => void
}

/**
 * The answer to a sync on its way: pieces that build only on earlier ones, as updates, and the last one as the SyncStep2 that says
 * that it is complete. A client applies and stores each as it arrives, so that a broken line does not cost what was transferred.
 * The next piece is made when the line has taken the last ones.
 */
export class Answer {
  private readonly options: AnswerOptions
  private readonly update: Uint8Array
  private readonly pieces: Iterator<Uint8Array>
  private next: Uint8Array | null
  private unsentBytes = 0
  private hasEnded = false

  constructor(update: Uint8Array, options: AnswerOptions) {
    this.options = options
    this.update = update
    this.pieces = splitUpdate(update, PIECE)
    this.next = this.take()
    this.pump()
  }

  /** Sends nothing more; the connection is gone. */
  stop(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.options.onSent()
  }

  private pump(): void {
    while (!this.hasEnded && this.next && this.unsentBytes < MAX_UNSENT_BYTES) {
      const piece = this.next
      this.next = this.take()
      this.unsentBytes += piece.byteLength
      const message = this.next ? encodeUpdate(piece) : encodeSyncAnswer(piece)
      this.options.send(message, () => this.onLeft(piece.byteLength))
    }
  }

  private onLeft(bytes: number): void {
    this.unsentBytes -= bytes
    if (this.hasEnded) return
    this.options.onProgress()
    if (!this.next && this.unsentBytes === 0) this.stop()
    else this.pump()
  }

  private take(): Uint8Array | null {
    try {
      const { value, done } = this.pieces.next()
      return done ? null : value
    } catch {
      // It cannot be taken apart, which is no reason not to send it: whole, after what was sent. The iterator is done now.
      return this.update
    }
  }
}
