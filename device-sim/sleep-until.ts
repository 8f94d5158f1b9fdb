import { setTimeout as sleep } from 'node:timers/promises'

/** A longer timer of Node's fires at once (its documentation, setTimeout). */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Resolves at that time by that clock, which may be never, or at the abort. */
export async function sleepUntil (at: number, now: () => number, signal: AbortSignal): Promise<void> {
  for (let waitMs = at - now(); waitMs > 0 && !signal.aborted; waitMs = at - now()) {
    await sleep(Math.min(waitMs, TIMER_MS_MAX), undefined, { signal }).catch(() => {}) // aborted: the loop ends
  }
}
