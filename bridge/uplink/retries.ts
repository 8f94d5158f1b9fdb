import type { Entry } from '../entry.ts'
import type { QueueClass } from '../spool/queues.ts'

/** Whose doing it is that it has to go again. */
export type RetryCause = 'store' | 'disk'

export interface Retry {
  readonly entry: Entry
  readonly class: QueueClass
  /** ms since epoch. */
  readonly notBefore: number
  readonly cause: RetryCause
}

/** Entries that were tried and wait for another attempt. */
export class Retries {
  readonly #retries = new Map<number, Retry>()
  #unreadable = 0

  /** But for those that could not be read: they say nothing of the store. */
  get size (): number { return this.#retries.size - this.#unreadable }
  get unreadable (): number { return this.#unreadable }
  get sequences (): ReadonlySet<number> { return new Set(this.#retries.keys()) }
  get bytes (): number { return [...this.#retries.values()].reduce((sum, { entry }) => sum + entry.bytes, 0) }

  of ({ sequence }: Entry): Pick<Retry, 'notBefore' | 'cause'> | undefined { return this.#retries.get(sequence) }

  add (entry: Entry, retry: Omit<Retry, 'entry'>): void {
    this.delete(entry)
    this.#retries.set(entry.sequence, { entry, ...retry })
    if (retry.cause === 'disk') this.#unreadable++
  }

  delete ({ sequence }: Entry): void {
    if (this.#retries.get(sequence)?.cause === 'disk') this.#unreadable--
    this.#retries.delete(sequence)
  }

  /** None has to wait any longer, as far as that was for the store. */
  hurry (): void {
    for (const [sequence, retry] of this.#retries) {
      if (retry.cause === 'store') this.#retries.set(sequence, { ...retry, notBefore: 0 })
    }
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
