import type { Random } from '../random.ts'
import type { Group, Phase } from './scenario.ts'

/**
 * The times at which one device takes its pictures, in ms of load and ascending without end. Known
 * before anything is sent, so that a slow receiver cannot slow the load down.
 */
export function * arrivals (
  { arrival, jitter, ratePerSecond }: Pick<Group, 'arrival' | 'jitter' | 'ratePerSecond'>, random: Random
): Generator<number, never> {
  const interval = 1000 / ratePerSecond
  // All at once is as early as none of them is before the start.
  const phase = arrival === 'periodic' ? random() * interval : jitter * interval
  let at = 0
  for (let count = 0; ; count++) {
    switch (arrival) {
      case 'poisson':
        at -= Math.log(1 - random()) * interval
        break
      case 'uniform': // anywhere in each interval
        at = (count + random()) * interval
        break
      case 'periodic':
      case 'synchronized':
        at = Math.max(at, phase + count * interval + (random() * 2 - 1) * jitter * interval)
    }
    yield at
  }
}

/**
 * From ms of load to ms of the run: a phase of load 3 passes three ms of load in each of its own.
 * Infinity past the last phase.
 */
export function createWarp (phases: readonly Phase[]): (loadMs: number) => number {
  return (loadMs) => {
    let left = loadMs
    let at = 0
    for (const { forMs, load } of phases) {
      if (left < forMs * load) return at + left / load
      left -= forMs === Infinity ? Infinity : forMs * load
      at += forMs
    }
    return Infinity
  }
}

/** Which phase a time of the run is in. */
export function phaseAt (phases: readonly Phase[], ms: number): number {
  let until = 0
  const index = phases.findIndex(({ forMs }) => ms < (until += forMs))
  return index < 0 ? phases.length - 1 : index
}

/** How many captures are due, about; exact where arrivals are even. */
export function expectedCaptures (groups: readonly Group[], phases: readonly Phase[], limit: number): number {
  const loadMs = phases.reduce((sum, { forMs, load }) => sum + (load === 0 ? 0 : forMs * load), 0)
  const perSecond = groups.reduce((sum, { count, ratePerSecond }) => sum + count * ratePerSecond, 0)
  return Math.min(limit, Math.round(perSecond * loadMs / 1000))
}
