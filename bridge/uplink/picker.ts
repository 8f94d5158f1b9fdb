import type { Entry } from '../entry.ts'
import type { Spool } from '../spool/spool.ts'
import type { RetryBudget } from './retry-budget.ts'

interface Retry {
  readonly entry: Entry
  readonly notBefore: number
}

/** Read at a time, and looked ahead: opening a segment takes longer than the line may stand idle. */
const PAGE = 128
/** Entries that wait for another attempt; with so many nothing new is begun. */
const RETRIES_MAX = 1000
const LOOK_EVERY_MS = 1000

/**
 * What goes next: the oldest first. Works from pages of the spool's index, so that its memory and the
 * cost of a pick do not grow with the backlog.
 */
export class Picker {
  readonly #spool: Spool
  readonly #retryBudget: RetryBudget
  #page: Entry[] = []
  #cursor = 0
  #requeues: number
  /** Sequences picked and not yet done with; a second reading of the index must not pick them again. */
  readonly #out = new Set<number>()
  readonly #retries = new Map<number, Retry>()

  constructor (spool: Spool, retryBudget: RetryBudget) {
    this.#spool = spool
    this.#retryBudget = retryBudget
    this.#requeues = spool.requeues
  }

  get retrying (): ReadonlySet<number> { return new Set(this.#retries.keys()) }

  get retryingBytes (): number {
    return [...this.#retries.values()].reduce((sum, { entry }) => sum + entry.bytes, 0)
  }

  /** Waits until there is one. Undefined only when `signal` aborts. */
  async next (signal: AbortSignal): Promise<Entry | undefined> {
    while (!signal.aborted) {
      const seen = this.#spool.changes // before reading, or an append in between is slept through
      const entry = await this.#pick()
      if (entry !== undefined) return entry
      await this.#spool.changed(seen, signal, this.#nextLookMs())
    }
    return undefined
  }

  /** It left the waiting set. */
  done ({ sequence }: Entry): void {
    this.#out.delete(sequence)
  }

  retryLater (entry: Entry, waitMs: number): void {
    this.#retries.set(entry.sequence, { entry, notBefore: Date.now() + waitMs })
  }

  /** The store is back: nothing has to wait for it any longer. */
  retryNow (): void {
    for (const [sequence, { entry }] of this.#retries) this.#retries.set(sequence, { entry, notBefore: 0 })
  }

  /** Another attempt goes first where there is budget for it, and else when nothing new waits. */
  async #pick (): Promise<Entry | undefined> {
    const retry = this.#retryBudget.isOpen ? this.#dueRetry() : undefined
    return retry ?? await this.#fresh() ?? this.#dueRetry()
  }

  async #fresh (): Promise<Entry | undefined> {
    if (this.#retries.size >= RETRIES_MAX) return undefined
    if (this.#requeues !== this.#spool.requeues) this.#startOver()
    if (this.#page.length < PAGE) await this.#readPage()
    const entry = this.#page.shift()
    if (entry !== undefined) this.#out.add(entry.sequence)
    return entry
  }

  #dueRetry (): Entry | undefined {
    const now = Date.now()
    for (const [sequence, { entry, notBefore }] of this.#retries) {
      if (notBefore > now) continue
      this.#retries.delete(sequence)
      this.#retryBudget.spend(entry.bytes)
      return entry
    }
    return undefined
  }

  #startOver (): void {
    this.#requeues = this.#spool.requeues
    this.#page = []
    this.#cursor = 0
  }

  async #readPage (): Promise<void> {
    const page = await this.#spool.waiting(this.#cursor, PAGE)
    this.#cursor = page.at(-1)?.sequence ?? this.#cursor
    this.#spool.expect(page)
    this.#page.push(...page.filter(({ sequence }) => !this.#out.has(sequence)))
  }

  /** Not for long even where nothing is to be retried yet: what is under way may fail meanwhile. */
  #nextLookMs (): number {
    const first = Math.min(Infinity, ...[...this.#retries.values()].map(({ notBefore }) => notBefore))
    return Math.min(LOOK_EVERY_MS, Math.max(1, first - Date.now()))
  }
}
