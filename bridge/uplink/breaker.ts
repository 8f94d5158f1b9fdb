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
/** Of one image while the others go. */
const BACKOFF_MS_MAX = 20_000
/** Between two probes, which cost little: the store's return is not to be missed for long. */
const PAUSE_MS_MAX = 2_500
/** The same on a line on which a try costs much. */
const DEAR_PAUSE_MS_MAX = 30_000
/** An outage is told again after so long, and whenever its reason changes. */
const TELL_EVERY_MS = 60_000

/**
 * Whether puts are worth their bytes. The first unavailable put opens it for all; from then on one small
 * probe at a time is sent, and after a good probe one put, until a put is stored again.
 */
export class Breaker {
  readonly #observe: Observe
  readonly #random: () => number
  #state: LineState = { kind: 'up' }
  #failures = 0
  #toldAt = -Infinity

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

  /**
   * A probe or the one put after it found the store still unavailable. The next one comes after `restMs` at least,
   * which is how long a line pays for what this one has cost.
   */
  failed ({ reason, detail }: Trouble, restMs = 0): void {
    const now = Date.now()
    const before = this.#state.kind === 'down' ? this.#state : undefined
    const waitMs = pauseMs({ failures: this.#failures++, restMs }, this.#random)
    this.#state = { kind: 'down', reason, detail, since: before?.since ?? now, retryAt: now + waitMs }
    if (before?.reason === reason && now - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = now
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

/** Whether a put is worth a try. */
export function mayPut (outcome: ProbeOutcome): boolean {
  switch (outcome.kind) {
    case 'available': return true
    case 'unavailable': return outcome.mayPut === true
  }
}

/** Whether trouble can come of what is put. Nobody is throttled, locked out or not found for the image's sake. */
export function mayBeEntrys ({ reason }: Trouble): boolean {
  return ['server_error', 'timeout', 'reset', 'checksum'].includes(reason)
}

/** Exponential, at least half of it certain, the rest random so that several sites do not march in step. */
export function backoffMs (failures: number, random: () => number, msMax = BACKOFF_MS_MAX): number {
  const most = Math.min(msMax, BACKOFF_MS_MIN * 2 ** failures)
  return most / 2 + random() * most / 2
}

/** Until the next try at a store that is down: short, but never so short that tries take more than they may. */
export function pauseMs (
  { failures, restMs }: { readonly failures: number, readonly restMs: number }, random: () => number
): number {
  const rest = Math.min(DEAR_PAUSE_MS_MAX, restMs) * (1 + random() / 4)
  return Math.max(backoffMs(failures, random, PAUSE_MS_MAX), rest)
}

/** How long the line has to rest for `bytes` to be no more than `share` of what it may carry. */
export function restMs (bytes: number, { bytesPerSecond, share }: { bytesPerSecond: number, share: number }): number {
  return bytes <= 0 ? 0 : bytes / (bytesPerSecond * share) * 1000
}
