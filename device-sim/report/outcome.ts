import type { Verdict } from '../judge/inspection.ts'
import { holds, type Measure, type Metric, type Threshold } from '../scenario/threshold.ts'
import type { Report } from './report.ts'

export interface ThresholdResult {
  readonly text: string
  readonly holds: boolean
  /** In ms, a count, or a share; undefined where it was not measured. */
  readonly value: number | undefined
  readonly metric: Metric
}

/** A run with all that was found out about it. */
export interface Outcome {
  readonly report: Report
  /** Undefined where nobody looked into the store. */
  readonly verdict: Verdict | undefined
  /** Why there is no verdict, where one was asked for. */
  readonly notJudged?: string
  readonly thresholds: readonly ThresholdResult[]
}

/** What must hold of everything that was looked into. */
export function judgeOutcome (report: Report, verdict: Verdict | undefined, thresholds: readonly Threshold[]): Outcome {
  return {
    report,
    verdict,
    thresholds: thresholds.map((threshold) => {
      const value = measure(threshold.metric, report, verdict)
      const { text, metric } = threshold
      return { text, metric, value, holds: value !== undefined && holds(threshold, value) }
    })
  }
}

export function hasHeld ({ verdict, notJudged, thresholds }: Outcome): boolean {
  return notJudged === undefined && verdict?.held !== false && thresholds.every((threshold) => threshold.holds)
}

/** Whether a threshold can only be told by looking into the store. */
export function needsStore ({ metric }: Threshold): boolean {
  if (metric.kind === 'latency') return metric.of === 'e2e'
  return ['lost', 'duplicated', 'corrupted', 'unexpected'].includes(metric.name)
}

/** In its own unit: `412 ms`, `3`, `1.25 %`. */
export function formatValue ({ metric, value }: Pick<ThresholdResult, 'metric' | 'value'>): string {
  if (value === undefined) return 'not measured'
  if (metric.kind === 'latency') return `${value.toFixed(1)} ms`
  return metric.isShare ? `${(value * 100).toFixed(2)} %` : String(Number(value.toFixed(2)))
}

function measure (metric: Metric, report: Report, verdict: Verdict | undefined): number | undefined {
  if (metric.kind === 'number') {
    const value = count(metric.name, report, verdict)
    return metric.isShare && value !== undefined ? value / Math.max(1, report.counts.captured) : value
  }
  const latencies = { puback: report.fromPlan, send: report.fromSend, e2e: verdict?.e2e, lag: report.lag }[metric.of]
  return latencies === undefined || latencies.count === 0 ? undefined : latencies[metric.point]
}

function count (name: Measure, report: Report, verdict: Verdict | undefined): number | undefined {
  switch (name) {
    case 'lost':
    case 'duplicated':
    case 'corrupted':
    case 'unexpected': return verdict?.[name].count
    case 'dropped':
    case 'unfinished':
    case 'acknowledged': return report.counts[name]
    case 'reconnects': return report.reconnects
    case 'connect_failures': return report.connectFailures
    case 'images_per_second': return report.imagesPerSecond
  }
}
