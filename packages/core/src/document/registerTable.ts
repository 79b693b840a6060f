import type { StoredEntry } from '../lattice/entry.js'

/** The greatest entry of a register. */
export type Winner = StoredEntry

/** The registers of one subject. */
export interface Registers extends Iterable<Winner> {
  get: (register: string) => Winner | undefined
  readonly size: number
}

/** Up to this many registers are searched one by one; most conversations have fewer, and a map each would cost more. */
const SMALL = 12

/** The registers of one subject, to be changed. */
export class RegisterTable implements Registers {
  readonly subject: string
  private winners: Winner[] = []
  private byName: Map<string, Winner> | null = null

  constructor(subject: string) {
    this.subject = subject
  }

  get size(): number {
    return this.byName?.size ?? this.winners.length
  }

  get(register: string): Winner | undefined {
    if (this.byName) return this.byName.get(register)
    for (const winner of this.winners) if (winner.register === register) return winner
    return undefined
  }

  set(winner: Winner): void {
    if (!this.byName && this.winners.length < SMALL) {
      const place = this.winners.findIndex(({ register }) => register === winner.register)
      // Not by `push`, which would make room for 17.
      if (place < 0) this.winners = [...this.winners, winner]
      else this.winners[place] = winner
      return
    }
    this.byName ??= new Map(this.winners.map((known) => [known.register, known]))
    this.winners = []
    this.byName.set(winner.register, winner)
  }

  delete(register: string): void {
    this.byName?.delete(register)
    this.winners = this.winners.filter((winner) => winner.register !== register)
  }

  [Symbol.iterator](): Iterator<Winner> {
    return (this.byName?.values() ?? this.winners)[Symbol.iterator]()
  }
}

/** A subject about which nothing is said. */
export const NO_REGISTERS: Registers = new RegisterTable('')
