import { createRandom, type Random } from './random.ts'

/** A capture moves by at most this part of the interval, to either side. */
const JITTER = 0.05

/**
 * The times at which one device takes its pictures, ms after the start and ascending without end: a
 * phase of its own, then every interval, a little early or late. Known before anything is sent, so
 * that a slow receiver cannot slow the load down.
 */
export function * captureTimes (intervalMs: number, random: Random): Generator<number, never> {
  const phase = random() * intervalMs
  for (let count = 0; ; count++) {
    const jitter = (random() * 2 - 1) * JITTER * intervalMs
    yield Math.max(0, phase + count * intervalMs + jitter)
  }
}

export interface PlanOptions {
  readonly devices: number
  readonly intervalMs: number
  readonly seed: number
  readonly durationMs: number
  /** Captures of all devices together. */
  readonly limit: number
}

/** One plan for each device; the same options give the same plans. */
export function createPlans ({ devices, intervalMs, seed }: PlanOptions): Generator<number, never>[] {
  const random = createRandom(seed)
  return Array.from({ length: devices }, () => captureTimes(intervalMs, createRandom(random() * 2 ** 32)))
}

/** How many captures fall into the duration, and no more than the limit. */
export function countPlanned (options: PlanOptions): number {
  let planned = 0
  for (const plan of createPlans(options)) {
    while (plan.next().value < options.durationMs) {
      if (++planned >= options.limit) return planned
    }
  }
  return planned
}
