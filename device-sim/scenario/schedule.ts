import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** When a device is due next. */
interface Due {
  readonly at: number
  readonly device: number
}

export interface ScheduleOptions {
  readonly durationMs: number
  readonly limit: number
  /** ms since epoch, never going back. */
  readonly now: () => number
}

export interface Shutter {
  /** Called in a pause, in the order of their times, for as many as may be kept; not for all. */
  prepare (device: number, plannedAt: number): void
  capture (device: number, plannedAt: number): void
}

/** So often it is looked whether a device has joined. */
const LOOK_MS = 250
/** A pause is this long at least; what is prepared in it takes less. */
const PAUSE_MS_MIN = 5
/** Each has the head of an image, some kilobytes. */
const PREPARED_MAX = 2000

/** Which device takes its picture when. Devices may join and leave while it runs. */
export class Schedule {
  readonly #options: ScheduleOptions
  readonly #queue = new DueQueue()
  /** What comes next of a device and was not prepared; and the devices of which it is. */
  #ahead = new Map<number, number>()
  readonly #prepared = new Set<number>()
  readonly #plans = new Map<number, Iterator<number, unknown>>()
  #captured = 0

  constructor (options: ScheduleOptions) {
    this.#options = options
  }

  /** How many were due up to `ms` after the start, whether or not they were taken. */
  get captured (): number { return this.#captured }

  /** `plan` gives ms after the start, ascending; Infinity and an end both end it. */
  add (device: number, plan: Iterator<number, unknown>): void {
    this.#plans.set(device, plan)
    const at = this.#next(device)
    this.#queue.push({ at, device })
    this.#ahead.set(device, at)
  }

  remove (device: number): void {
    this.#plans.delete(device)
    this.#ahead.delete(device)
    this.#prepared.delete(device)
  }

  /** Calls `capture` for each planned capture in its turn, never early, until the end or an abort. */
  async run (startedAt: number, shutter: Shutter, signal: AbortSignal): Promise<void> {
    const { durationMs, limit, now } = this.#options
    this.#ahead = new Map([...this.#ahead].sort(([, a], [, b]) => a - b))
    while (this.#captured < limit && !signal.aborted) {
      const next = this.#queue.first ?? { at: Infinity, device: -1 }
      const waitMs = startedAt + Math.min(next.at, durationMs) - now()
      if (waitMs > PAUSE_MS_MIN && this.#prepareNext(startedAt, shutter)) {
        await nextTurn()
        continue
      }
      if (waitMs > 0) {
        await sleep(Math.min(waitMs, LOOK_MS), undefined, { signal }).catch(() => {}) // aborted: the loop ends
        continue
      }
      if (next.at >= durationMs) return
      if (this.#plans.has(next.device)) {
        this.#captured++
        this.#prepared.delete(next.device)
        shutter.capture(next.device, startedAt + next.at)
      }
      const at = this.#next(next.device)
      this.#queue.replaceFirst({ at, device: next.device })
      this.#ahead.delete(next.device) // a Map keeps the place of what it had
      if (this.#plans.has(next.device)) this.#ahead.set(next.device, at)
      await nextTurn() // or a simulator that fell behind would capture without ever hearing a PUBACK
    }
  }

  /** How many captures are due before the end and were not taken. Ends the plans. */
  countMissed (): number {
    let missed = 0
    const left = this.#options.limit - this.#captured
    for (let next = this.#queue.first; next !== undefined && missed < left; next = this.#queue.first) {
      if (next.at >= this.#options.durationMs) return missed
      if (this.#plans.has(next.device)) missed++
      this.#queue.replaceFirst({ at: this.#next(next.device), device: next.device })
    }
    return missed
  }

  /** False where nothing is left to prepare. */
  #prepareNext (startedAt: number, { prepare }: Shutter): boolean {
    const { durationMs, now } = this.#options
    if (this.#prepared.size >= PREPARED_MAX) return false
    for (const [device, at] of this.#ahead) {
      this.#ahead.delete(device)
      if (at >= durationMs || startedAt + at <= now()) continue
      this.#prepared.add(device)
      prepare(device, startedAt + at)
      return true
    }
    return false
  }

  #next (device: number): number {
    const next = this.#plans.get(device)?.next()
    return next === undefined || next.done === true ? Infinity : next.value
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
