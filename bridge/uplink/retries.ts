import type { Entry } from '../entry.ts'
import type { QueueClass } from '../spool/queues.ts'

interface Retry {
  readonly entry: Entry
  readonly class: QueueClass
  /** ms since epoch. */
  readonly notBefore: number
}

/** Entries that were tried and wait for another attempt. */
export class Retries {
  readonly #retries = new Map<number, Retry>()

  get size (): number { return this.#retries.size }
  get sequences (): ReadonlySet<number> { return new Set(this.#retries.keys()) }
  get bytes (): number { return [...this.#retries.values()].reduce((sum, { entry }) => sum + entry.bytes, 0) }

  add (entry: Entry, one: QueueClass, notBefore: number): void {
    this.#retries.set(entry.sequence, { entry, class: one, notBefore })
  }

  delete ({ sequence }: Entry): void { this.#retries.delete(sequence) }

  /** None has to wait any longer. */
  hurry (): void {
    for (const [sequence, retry] of this.#retries) this.#retries.set(sequence, { ...retry, notBefore: 0 })
  }

  /** Of each class the first that need not wait any longer. */
  due (now: number): ReadonlyMap<QueueClass, Entry> {
    const due = new Map<QueueClass, Entry>()
    for (const { entry, class: one, notBefore } of this.#retries.values()) {
      if (notBefore <= now && !due.has(one)) due.set(one, entry)
    }
    return due
  }

  /** Infinity where there is none. */
  get nextAt (): number { return Math.min(Infinity, ...[...this.#retries.values()].map(({ notBefore }) => notBefore)) }
}
