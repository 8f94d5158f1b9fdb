import type { Ledger } from '../entry.ts'

export interface Sum {
  readonly count: number
  readonly bytes: number
}

/** How much of a segment is still wanted; at 0 a sealed segment may be removed. */
export interface SegmentAccount {
  readonly number: number
  readonly live: number
  readonly sealed: boolean
  /** Not everything in it is what was written: kept when it is drained, for people to look at. */
  readonly damaged?: boolean
}

/** What is written with every batch of the index, so that counts and rows can never disagree. */
export interface Totals {
  readonly sequence: number
  readonly acknowledged: number
  readonly uploaded: Sum
  readonly waiting: Sum
  readonly failed: Sum
  readonly dropped: Sum
}

export type State = 'waiting' | 'failed' | 'uploaded' | 'dropped'

const ZERO: Sum = { count: 0, bytes: 0 }

/**
 * The spool's bookkeeping in memory. Each image moves from one state to another in one call, so the
 * ledger adds up at every moment: acknowledged = uploaded + waiting + failed + dropped.
 */
export class Accounts {
  #sequence = 0
  #acknowledged = 0
  readonly #sums: { [state in State]: Sum }
  readonly #segments = new Map<number, SegmentAccount>()
  readonly #touched = new Set<number>()

  constructor (totals: Totals | undefined, segments: readonly SegmentAccount[]) {
    this.#sequence = totals?.sequence ?? 0
    this.#acknowledged = totals?.acknowledged ?? 0
    this.#sums = {
      waiting: totals?.waiting ?? ZERO,
      failed: totals?.failed ?? ZERO,
      uploaded: totals?.uploaded ?? ZERO,
      dropped: totals?.dropped ?? ZERO
    }
    for (const account of segments) this.#segments.set(account.number, account)
  }

  get totals (): Totals {
    return { sequence: this.#sequence, acknowledged: this.#acknowledged, ...this.#sums }
  }

  get ledger (): Ledger {
    const { uploaded, waiting, failed, dropped } = this.#sums
    return {
      acknowledged: this.#acknowledged,
      uploaded: uploaded.count,
      waiting: waiting.count,
      failed: failed.count,
      dropped: dropped.count
    }
  }

  sum (state: State): Sum { return this.#sums[state] }

  segment (number: number): SegmentAccount | undefined { return this.#segments.get(number) }

  /** Every segment there is a row of. */
  get segments (): readonly SegmentAccount[] { return [...this.#segments.values()] }

  /** Taken in order of acceptance, before anything is written. */
  nextSequence (): number { return ++this.#sequence }

  /** A sequence found on disk is never given again. */
  sawSequence (sequence: number): void { this.#sequence = Math.max(this.#sequence, sequence) }

  taken (bytes: number, segment: number): void {
    this.#acknowledged++
    this.#add('waiting', 1, bytes)
    this.#keep(segment, 1)
  }

  takenAsFailed (bytes: number): void {
    this.#acknowledged++
    this.#add('failed', 1, bytes)
  }

  moved (bytes: number, from: State, to: State): void {
    this.#add(from, -1, -bytes)
    this.#add(to, 1, bytes)
  }

  /** The payload of one entry in the segment is not wanted any more. */
  released (segment: number): void { this.#keep(segment, -1) }

  sealed (segment: number): void {
    this.#change(segment, { sealed: true })
  }

  damaged (segment: number): void { this.#change(segment, { damaged: true }) }

  forgot (segment: number): void {
    this.#segments.delete(segment)
    this.#touched.add(segment)
  }

  /** The segments changed since the last call, undefined for those forgotten. */
  takeTouched (): Array<[number, SegmentAccount | undefined]> {
    const touched = [...this.#touched].map((number): [number, SegmentAccount | undefined] =>
      [number, this.#segments.get(number)])
    this.#touched.clear()
    return touched
  }

  #add (state: State, count: number, bytes: number): void {
    const sum = this.#sums[state]
    this.#sums[state] = { count: sum.count + count, bytes: sum.bytes + bytes }
  }

  #keep (segment: number, live: number): void {
    this.#change(segment, { live: (this.#segments.get(segment)?.live ?? 0) + live })
  }

  #change (number: number, change: Partial<SegmentAccount>): void {
    const account = this.#segments.get(number) ?? { number, live: 0, sealed: false }
    this.#segments.set(number, { ...account, ...change })
    this.#touched.add(number)
  }
}
