import { LANES, type Entry, type Lane } from '../entry.ts'
import { QUEUE_CLASSES, type QueueClass, type QueueRow } from '../spool/queues.ts'
import type { Spool } from '../spool/spool.ts'
import { LaneQueue, type Order } from './lane-queue.ts'
import { LaneShares } from './lane-shares.ts'
import type { Backlog } from './queue-reader.ts'
import { Retries, type Retry, type RetryCause } from './retries.ts'
import { RetryBudget } from './retry-budget.ts'

export interface SchedulerOptions {
  readonly order: Order
  /** The least share of the bytes for each lane, 0 to 1, together at most 1. */
  readonly lanes: Readonly<Record<Lane, number>>
}

export const SCHEDULER_DEFAULTS: SchedulerOptions = { order: 'fair', lanes: { alarm: 0.4, normal: 0.4, bulk: 0.2 } }

export type SpoolView = Pick<Spool, 'changes' | 'changed'> & { readonly backlog: Backlog }

/** Entries that wait for another attempt; with so many nothing new is begun. */
const RETRIES_MAX = 1000
/** Entries that could not be read. They keep nobody else from going, and are not all kept in mind for ever. */
const UNREADABLE_MAX = 50_000
const LOOK_EVERY_MS = 1000
const NONE: ReadonlyMap<QueueClass, Entry> = new Map()
/** Rows of each lane that are looked at in advance: opening a segment takes longer than the line may stand idle. */
const LOOK_AHEAD = 8

/**
 * What goes next: what an operator has prioritized, then the lane whose turn it is, and in that lane what is to be
 * tried again, then what its order says. Decided anew for every entry: nothing is taken out of a lane in advance.
 */
export class Scheduler {
  readonly #spool: SpoolView
  readonly #queues: Record<QueueClass, LaneQueue>
  #order: Order
  /** Another order holds from the next pick on: one that is under way ends in the old one. */
  #orderNext: Order
  readonly #shares: LaneShares
  /** Picked and not yet done with, with where each came from: its row is still there, and must not be picked twice. */
  readonly #out = new Map<number, QueueClass>()
  readonly #retries = new Retries()
  readonly #budget: RetryBudget
  #lookingAhead: Promise<void> = Promise.resolve()

  constructor (
    spool: SpoolView, { order, lanes }: SchedulerOptions = SCHEDULER_DEFAULTS,
    budget = new RetryBudget(() => Infinity)
  ) {
    this.#spool = spool
    this.#budget = budget
    this.#order = this.#orderNext = order
    this.#shares = new LaneShares(lanes)
    const deps = { backlog: spool.backlog, isOut: (sequence: number) => this.#out.has(sequence) }
    this.#queues = {
      prioritized: new LaneQueue(deps, 'prioritized', 'oldest'),
      alarm: new LaneQueue(deps, 'alarm', order),
      normal: new LaneQueue(deps, 'normal', order),
      bulk: new LaneQueue(deps, 'bulk', order)
    }
  }

  /** What is under way, and what is to be tried again, stays as it is. */
  configure ({ order, lanes }: SchedulerOptions): void {
    this.#orderNext = order
    this.#shares.shares = lanes
  }

  get retrying (): ReadonlySet<number> { return this.#retries.sequences }
  get retryingBytes (): number { return this.#retries.bytes }
  retryOf (entry: Entry): Pick<Retry, 'notBefore' | 'cause'> | undefined { return this.#retries.of(entry) }

  /** Waits until there is one. Undefined only when `signal` aborts. */
  async next (signal: AbortSignal): Promise<Entry | undefined> {
    while (!signal.aborted) {
      const seen = this.#spool.changes // before looking, or an append in between is slept through
      const entry = await this.#pick()
      if (entry !== undefined) return entry
      await this.#spool.changed(seen, signal, this.#nextLookMs())
    }
    return undefined
  }

  /** It left the waiting set. */
  done ({ sequence }: Entry): void { this.#out.delete(sequence) }

  retryLater (entry: Entry, waitMs: number): void { this.#later('store', entry, waitMs) }

  /** The disk did not give it back: it keeps nobody else from going, and the store's return does not hurry it. */
  readLater (entry: Entry, waitMs: number): void { this.#later('disk', entry, waitMs) }

  /** The store is back: nothing has to wait for it any longer. */
  retryNow (): void { this.#retries.hurry() }

  #later (cause: RetryCause, entry: Entry, waitMs: number): void {
    const one = this.#out.get(entry.sequence) ?? entry.lane ?? 'normal'
    this.#retries.add(entry, { class: one, notBefore: Date.now() + waitMs, cause })
  }

  /** Another attempt goes first where there is budget for it, and else when nothing new waits. */
  async #pick (): Promise<Entry | undefined> {
    await this.#lookingAhead
    if (this.#order !== this.#orderNext) this.#reorder(this.#orderNext)
    for (const growth of this.#spool.backlog.takeGrown()) this.#queues[growth.class].grew(growth)
    const due = this.#retries.due(Date.now())
    if (due.size === 0 || this.#budget.isOpen) return await this.#pickFrom(due)
    return await this.#pickFrom(NONE) ?? await this.#pickFrom(due)
  }

  #reorder (order: Order): void {
    for (const lane of LANES) this.#queues[lane] = this.#queues[lane].inOrder(order)
    this.#order = order
  }

  async #pickFrom (due: ReadonlyMap<QueueClass, Entry>): Promise<Entry | undefined> {
    const mayBegin = this.#retries.size < RETRIES_MAX && this.#retries.unreadable < UNREADABLE_MAX
    const hasSome = (one: QueueClass): boolean => due.has(one) || (mayBegin && !this.#queues[one].isEmpty)
    for (let turns = 0; turns < QUEUE_CLASSES.length; turns++) { // each finds an entry, or a queue to be empty
      const waiting = LANES.filter(hasSome)
      const turn = hasSome('prioritized') ? 'prioritized' : this.#shares.choose(waiting)
      if (turn === undefined) return undefined
      const again = due.get(turn)
      const entry = again ?? await this.#queues[turn].take()
      if (entry === undefined) continue
      if (again !== undefined) {
        this.#retries.delete(again)
        this.#budget.spend(again.bytes)
      }
      this.#out.set(entry.sequence, turn)
      if (turn !== 'prioritized') this.#shares.sent(turn, entry.bytes, waiting)
      this.#lookingAhead = this.#lookAhead().catch(() => {}) // the pick that needs it fails in the same way
      return entry
    }
    return undefined
  }

  async #lookAhead (): Promise<void> {
    const rows: QueueRow[] = []
    for (const one of QUEUE_CLASSES) rows.push(...await this.#queues[one].upcoming(LOOK_AHEAD))
    this.#spool.backlog.expect(rows)
  }

  /** Not for long even where nothing is to be retried yet: what is under way may fail meanwhile. */
  #nextLookMs (): number {
    return Math.min(LOOK_EVERY_MS, Math.max(1, this.#retries.nextAt - Date.now()))
  }
}
