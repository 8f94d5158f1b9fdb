// The report of a month, as arithmetic over its hours.

import { CAUSES, monthOf, SPANS, sumCounts, VERDICTS, type Counts, type Hour, type LateCause, type SloVerdict } from './hour.ts'
import { countLatencies, mergeLatencies, quantile, type Latencies } from './latencies.ts'

export interface MonthFacts {
  /** Like 2026-11; it begins and ends in UTC. */
  readonly month: string
  /** ms since epoch. */
  readonly now: number
  /** Before this nothing is known, ms since epoch. */
  readonly since: number
  readonly targetMs: number
  readonly objective: number
  /** Images that are in our hands now and not in the store, or will not get there, of all months. */
  readonly undelivered: number
}

/** `GET /api/v1/slo`. Shares are 0 to 1, times RFC 3339; absent where there is nothing to say. */
export interface Month {
  readonly month: string
  /** What of the month is known. */
  readonly from: string
  readonly to: string
  readonly targetSeconds: number
  readonly objective: number
  readonly images: Counts<SloVerdict> & {
    readonly judged: number
    /** Not in the store by now. */
    readonly notArrived: number
  }
  /** Of the judged images, those that were in time. */
  readonly share: number | undefined
  /** Of the images that may miss the target, how many did: above 1 the objective is missed. */
  readonly budgetUsed: number | undefined
  /** Of all judged images, with those that have not arrived behind all others; null where it is one of them. */
  readonly latencySeconds: { readonly [name in 'p50' | 'p95' | 'p99']: number | null | undefined }
  /** Of the time that is known, in which Sluice ran and took images. */
  readonly availability: number | undefined
  /** Of the time that is known. */
  readonly seconds: {
    readonly known: number
    readonly notRunning: number
    readonly notAccepting: number
    readonly storeAway: number
    readonly paused: number
    readonly behind: number
  }
  /** Late images by what kept them at their deadline. */
  readonly causes: Counts<LateCause>
  /** The hours with the most images that missed, the worst first. */
  readonly worstHours: readonly BadHour[]
}

export interface BadHour {
  readonly at: string
  readonly missed: number
  readonly judged: number
  /** What kept the most of them; undefined where all of them failed. */
  readonly cause: LateCause | undefined
}

const WORST_HOURS = 5

/** True for a month as it is written here. */
export function isMonth (text: string): boolean {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text)
}

/** `hours` holds those of the month and of later ones. */
export function describeMonth (hours: readonly Hour[], facts: MonthFacts): Month {
  const { month, now, since, targetMs, objective } = facts
  const own = hours.filter(({ at }) => monthOf(at) === month)
  const verdicts = sumCounts(VERDICTS, own.map((hour) => hour.verdicts))
  const judged = sumOf(verdicts)
  const latencies = hours.reduce<Latencies>((sum, hour) => mergeLatencies(sum, hour.latencies[month] ?? {}), {})
  // After an abrupt end some of a last second may have arrived without being told of.
  const notArrived = Math.min(Math.max(0, judged - countLatencies(latencies)), facts.undelivered)
  const [begin, end] = [Date.parse(`${month}-01T00:00:00Z`), endOf(month)]
  const [from, to] = [Math.max(begin, since), Math.max(begin, Math.min(end, now))]
  const seconds = sumCounts(SPANS, own.map((hour) => hour.seconds))
  const known = Math.max(0, to - from) / 1000
  const p = (share: number): number | null | undefined => {
    const found = quantile(latencies, notArrived, share)
    return found === Infinity ? null : found
  }
  return {
    month,
    from: new Date(Math.min(from, to)).toISOString(),
    to: new Date(to).toISOString(),
    targetSeconds: targetMs / 1000,
    objective,
    images: { judged, ...verdicts, notArrived },
    share: judged === 0 ? undefined : verdicts.good / judged,
    budgetUsed: judged === 0 || objective === 1 ? undefined : (judged - verdicts.good) / (judged * (1 - objective)),
    latencySeconds: { p50: p(0.5), p95: p(0.95), p99: p(0.99) },
    availability: known === 0 ? undefined : Math.min(1, seconds.accepting / known),
    seconds: {
      known: Math.round(known),
      notRunning: Math.round(Math.max(0, known - seconds.running)),
      notAccepting: Math.round(seconds.running - seconds.accepting),
      storeAway: Math.round(seconds.storeAway),
      paused: Math.round(seconds.paused),
      behind: Math.round(seconds.behind)
    },
    causes: sumCounts(CAUSES, own.map((hour) => hour.causes)),
    worstHours: worstOf(own)
  }
}

function worstOf (hours: readonly Hour[]): readonly BadHour[] {
  return [...new Set(hours.map(({ at }) => at))]
    .map((at) => {
      const same = hours.filter((hour) => hour.at === at)
      const verdicts = sumCounts(VERDICTS, same.map((hour) => hour.verdicts))
      const causes = sumCounts(CAUSES, same.map((hour) => hour.causes))
      const [cause] = CAUSES.filter((one) => causes[one] > 0).sort((a, b) => causes[b] - causes[a])
      const missed = verdicts.late + verdicts.failed
      return { at: new Date(at).toISOString(), missed, judged: missed + verdicts.good, cause }
    })
    .filter(({ missed }) => missed > 0)
    .sort((a, b) => b.missed - a.missed)
    .slice(0, WORST_HOURS)
}

function sumOf (counts: Counts<SloVerdict>): number {
  return VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0)
}

function endOf (month: string): number {
  const end = new Date(`${month}-01T00:00:00Z`)
  return end.setUTCMonth(end.getUTCMonth() + 1)
}
