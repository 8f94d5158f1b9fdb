import type { LateCause, Span } from './hour.ts'

/** As things stand. */
export interface Conditions {
  /** Images are taken. */
  readonly accepting: boolean
  /** The store was not reached lately. */
  readonly storeAway: boolean
  /** By an operator or by the timetable. */
  readonly paused: boolean
  /** Acceptance of the oldest image that waits, ms since epoch. */
  readonly oldestReceivedAt: number | undefined
}

/** A look that comes later than this was not late by itself: the machine slept. */
const LOOK_MS_MAX = 10_000

/** What keeps images from the store. What an outage leaves behind is late because of it, until it is caught up with. */
export class Causes {
  readonly #conditions: () => Conditions
  readonly #targetMs: number
  readonly #startedAt: number
  #lasting: LateCause | undefined
  #lookedAt: number | undefined

  constructor (
    conditions: () => Conditions, { targetMs, startedAt }: { readonly targetMs: number, readonly startedAt: number }
  ) {
    this.#conditions = conditions
    this.#targetMs = targetMs
    this.#startedAt = startedAt
  }

  /** What went on since the last look, in seconds. */
  look (now: number): ReadonlyArray<readonly [Span, number]> {
    const { accepting, storeAway, paused, oldestReceivedAt } = this.#conditions()
    const isBehind = oldestReceivedAt !== undefined && now - oldestReceivedAt > this.#targetMs
    if (storeAway) this.#lasting = 'store_away'
    else if (paused) this.#lasting = 'paused'
    else if (!isBehind) this.#lasting = undefined
    const seconds = Math.min(LOOK_MS_MAX, Math.max(0, now - (this.#lookedAt ?? now))) / 1000
    this.#lookedAt = now
    const spans = { running: true, accepting, storeAway, paused, behind: isBehind }
    return (Object.keys(spans) as Span[]).filter((span) => spans[span]).map((span) => [span, seconds])
  }

  /** Of an image that is late. */
  of (receivedAt: number): LateCause {
    if (receivedAt + this.#targetMs < this.#startedAt) return 'stopped'
    return this.#lasting ?? 'line'
  }
}
