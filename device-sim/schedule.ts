import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** When a device is due next. */
interface Due {
  readonly at: number
  readonly device: number
}

export interface Schedule {
  /** One for each device, ms after `startedAt`, ascending. */
  readonly plans: readonly Iterator<number, never>[]
  readonly durationMs: number
  readonly limit: number
  /** On the clock of `now`. */
  readonly startedAt: number
  readonly now: () => number
}

export type OnCapture = (device: number, plannedAt: number) => void

/** Calls `capture` for each planned capture in its turn, never early, until the end or an abort. */
export async function runSchedule (
  schedule: Schedule, capture: OnCapture, signal: AbortSignal
): Promise<void> {
  const { plans, durationMs, startedAt, now } = schedule
  const queue = new DueQueue()
  plans.forEach((plan, device) => queue.push({ at: plan.next().value, device }))
  for (let left = schedule.limit; left > 0 && !signal.aborted;) {
    const next = queue.first
    if (next === undefined) return
    const waitMs = startedAt + Math.min(next.at, durationMs) - now()
    if (waitMs > 0) {
      await sleep(waitMs, undefined, { signal }).catch(() => {}) // aborted: the loop ends
      continue
    }
    if (next.at >= durationMs) return
    capture(next.device, startedAt + next.at)
    left--
    queue.replaceFirst({ at: plans[next.device]?.next().value ?? Infinity, device: next.device })
    await nextTurn() // or a simulator that fell behind would capture without ever hearing a PUBACK
  }
}

/** A binary heap: the earliest first, whatever the number of devices. */
class DueQueue {
  readonly #heap: Due[] = []

  get first (): Due | undefined { return this.#heap[0] }

  push (due: Due): void {
    let at = this.#heap.length
    for (let parent = at - 1 >> 1; at > 0 && this.#at(parent) > due.at; parent = at - 1 >> 1) {
      this.#move(parent, at)
      at = parent
    }
    this.#heap[at] = due
  }

  replaceFirst (due: Due): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(child) >= due.at) break
      this.#move(child, at)
      at = child
    }
    this.#heap[at] = due
  }

  #at (index: number): number {
    return this.#heap[index]?.at ?? Infinity
  }

  #move (from: number, to: number): void {
    const due = this.#heap[from]
    if (due !== undefined) this.#heap[to] = due
  }
}
