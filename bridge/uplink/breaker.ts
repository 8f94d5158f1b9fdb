import type { Observe } from '../events.ts'
import type { ProbeOutcome, UnavailableReason } from '../objects/object-store.ts'

export type LineState =
  | { readonly kind: 'up' }
  | {
    readonly kind: 'down'
    readonly reason: UnavailableReason
    readonly detail: string
    /** ms since epoch. */
    readonly since: number
    readonly retryAt: number
  }

export interface Trouble {
  readonly reason: UnavailableReason
  readonly detail: string
}

const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 20_000

/**
 * Whether puts are worth their bytes. The first unavailable put opens it for all; from then on one small
 * probe at a time is sent, and after a good probe one put, until a put is stored again.
 */
export class Breaker {
  readonly #observe: Observe
  readonly #random: () => number
  #state: LineState = { kind: 'up' }
  #failures = 0

  constructor (observe: Observe, random = Math.random) {
    this.#observe = observe
    this.#random = random
  }

  get state (): LineState { return this.#state }
  get isDown (): boolean { return this.#state.kind === 'down' }

  /** A put of several that ran side by side found the store unavailable: the first one counts. */
  opened (trouble: Trouble): void {
    if (this.#state.kind === 'up') this.failed(trouble)
  }

  /** A probe or the one put after it found the store still unavailable. */
  failed ({ reason, detail }: Trouble): void {
    const now = Date.now()
    const waitMs = backoffMs(this.#failures++, this.#random)
    const since = this.#state.kind === 'down' ? this.#state.since : now
    this.#state = { kind: 'down', reason, detail, since, retryAt: now + waitMs }
    this.#observe({ kind: 'uplink-down', reason, detail, retryInSeconds: waitMs / 1000 })
  }

  closed (): void {
    this.#failures = 0
    if (this.#state.kind === 'up') return
    const downSeconds = (Date.now() - this.#state.since) / 1000
    this.#state = { kind: 'up' }
    this.#observe({ kind: 'uplink-up', downSeconds })
  }
}

/** Whether a put is worth a try. A key may be allowed to put and not to look at the bucket, which only a put tells. */
export function mayPut (outcome: ProbeOutcome): boolean {
  return outcome.kind === 'available' || outcome.reason === 'auth'
}

/** Whether trouble can come of what is put. Nobody is throttled, locked out or not found for the image's sake. */
export function mayBeEntrys ({ reason }: Trouble): boolean {
  return ['server_error', 'timeout', 'reset', 'checksum'].includes(reason)
}

/** Exponential, at least half of it certain, the rest random so that several sites do not march in step. */
export function backoffMs (failures: number, random: () => number): number {
  const most = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures)
  return most / 2 + random() * most / 2
}
