import type { DeviceId } from '../broker/topics.ts'
import type { Acknowledged } from './events.ts'

/** In ms; zeros where nothing was counted. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** How many images came how far. planned >= captured = PUBACKed + dropped + unfinished. */
export interface Counts {
  /** Due within the run. */
  readonly planned: number
  readonly captured: number
  /** Sent at least once. */
  readonly sent: number
  readonly acknowledged: number
  /** Overwritten in a device's own queue. */
  readonly dropped: number
  /** Waiting or in flight when the run ended; in no percentile. */
  readonly unfinished: number
}

/** How a run stands, once a second. */
export interface Progress {
  readonly seconds: number
  readonly connected: number
  readonly reconnects: number
  readonly counts: Counts
  readonly fromPlan: Percentiles
  readonly lag: Percentiles
}

export interface Report {
  readonly run: string
  readonly devices: number
  readonly images: string
  /** ms since epoch. */
  readonly startedAt: number
  /** From the start to the last capture or PUBACK. */
  readonly seconds: number
  readonly isInterrupted: boolean
  /** False where the simulator itself lagged, and its latencies say more about it than about the receiver. */
  readonly isValid: boolean
  readonly counts: Counts
  readonly acknowledgedBytes: number
  readonly imagesPerSecond: number
  /** From the planned capture to the PUBACK. */
  readonly fromPlan: Percentiles
  /** From the last send to the PUBACK. */
  readonly fromSend: Percentiles
  /** From the planned capture to the capture: the simulator's own fault. */
  readonly lag: Percentiles
  readonly reconnects: number
  /** Connections that were tried and not opened, and why the latest was not. */
  readonly connectFailures: number
  readonly lastFailure: string | undefined
  readonly evidence: Evidence
}

/** What a judge needs to know of a run. */
export interface Evidence {
  readonly run: string
  readonly devices: ReadonlySet<DeviceId>
  /** ms since epoch. */
  readonly startedAt: number
  readonly acknowledged: readonly Acknowledged[]
  /** SHA-256 and bytes of what was sent without a PUBACK. Such images may be in the store or not. */
  readonly unacknowledged: ReadonlyMap<string, number>
}

/** The schedule lag, at the 99th percentile, above which latencies are not to be trusted. */
export const LAG_MS_MAX = 50

/** For a terminal, a line for each subject. */
export function formatReport (report: Report): string {
  const { counts, lag } = report
  const lines = [
    `run          ${report.run}: ${report.devices} devices, ${report.seconds.toFixed(1)} s` +
      `${report.isInterrupted ? ', interrupted' : ''}; ${report.images}`,
    `images       ${formatCounts(counts)}`,
    `throughput   ${report.imagesPerSecond.toFixed(1)} images/s PUBACKed, ` +
      `${(report.acknowledgedBytes / 1e6 / Math.max(report.seconds, 0.001)).toFixed(2)} MB/s`,
    `PUBACK       from planned capture   ${formatPercentiles(report.fromPlan)}`,
    `             from send              ${formatPercentiles(report.fromSend)}`,
    `connections  ${report.reconnects} reconnects, ${report.connectFailures} not opened` +
      `${report.lastFailure === undefined ? '' : ` (${report.lastFailure})`}`,
    `simulator    schedule lag           ${formatPercentiles(lag)}`
  ]
  if (counts.unfinished > 0) {
    lines.push(`             ${counts.unfinished} unfinished images are in no percentile above`)
  }
  if (!report.isValid) {
    lines.unshift('results are not valid: the simulator itself lagged ' +
      `(p99 ${lag.p99.toFixed(0)} ms, over ${LAG_MS_MAX} ms)`)
  }
  return lines.join('\n')
}

/** One `key=value` line. */
export function formatProgress ({ seconds, connected, reconnects, counts, fromPlan, lag }: Progress): string {
  return `t=${seconds.toFixed(0)}s connected=${connected} captured=${counts.captured} sent=${counts.sent} ` +
    `acked=${counts.acknowledged} unfinished=${counts.unfinished} dropped=${counts.dropped} ` +
    `reconnects=${reconnects} p50=${fromPlan.p50.toFixed(1)}ms ` +
    `p99=${fromPlan.p99.toFixed(1)}ms lag_p99=${lag.p99.toFixed(1)}ms`
}

function formatCounts ({ planned, captured, sent, acknowledged, dropped, unfinished }: Counts): string {
  return `planned ${planned}, captured ${captured}, sent ${sent}, PUBACKed ${acknowledged}, ` +
    `dropped at device ${dropped}, unfinished ${unfinished}`
}

function formatPercentiles ({ count, p50, p90, p99, p999, max }: Percentiles): string {
  if (count === 0) return 'none'
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((ms) => ms.toFixed(1).padStart(8))
  return `p50 ${a}  p90 ${b}  p99 ${c}  p99.9 ${d}  max ${e} ms`
}
