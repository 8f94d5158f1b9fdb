import type { Verdict } from '../judge/inspection.ts'
import type { Percentiles } from '../run/latencies.ts'
import { hintOf } from './hint.ts'
import { formatValue, type Outcome, type ThresholdResult } from './outcome.ts'
import { LAG_MS_MAX, type Counts, type Progress, type Report } from './report.ts'

/** A part of the summary; one without a name goes on with that before it. */
export interface Section {
  readonly name: string
  readonly text: string
}

/** For a terminal. */
export function formatOutcome (outcome: Outcome): string {
  const { report } = outcome
  return [...(report.isValid ? [] : [formatInvalid(report)]), ...listSections(outcome).map(formatSection)].join('\n')
}

/** The thresholds first, then delivery, latency, throughput, connections, the simulator itself. */
export function listSections (outcome: Outcome): readonly Section[] {
  const { report, verdict } = outcome
  return [
    ...outcome.thresholds.map((threshold, at) => section(at === 0 ? 'thresholds' : '', formatThreshold(threshold))),
    section('run', `${report.run}: ${report.scenario}, ${report.devices} devices, ${report.seconds.toFixed(1)} s` +
      `${report.isInterrupted ? ', interrupted' : ''}; ${report.images}`),
    section('delivery', formatCounts(report)),
    ...(verdict === undefined ? [] : listVerdict(verdict)),
    ...formatLatencies(report, verdict),
    section('throughput', `${report.imagesPerSecond.toFixed(1)} images/s PUBACKed, ` +
      `${(report.acknowledgedBytes / 1e6 / Math.max(report.seconds, 0.001)).toFixed(2)} MB/s`),
    section('connections', `${report.reconnects} reconnects, ${report.connectFailures} not opened` +
      `${report.lastFailure === undefined ? '' : ` (${report.lastFailure})`}`),
    section('simulator', `${report.isValid ? 'valid' : 'NOT valid'}: schedule lag ${formatPercentiles(report.lag)}`),
    section('hint', hintOf(outcome))
  ]
}

/** One `key=value` line. */
export function formatProgress (progress: Progress): string {
  const { seconds, connected, reconnects, counts, stored, fromPlan, lag, phase } = progress
  return `t=${seconds.toFixed(0)}s phase=${phase.replaceAll(' ', '-')} connected=${connected} captured=${counts.captured} sent=${counts.sent} ` +
    `acked=${counts.acknowledged} unfinished=${counts.unfinished} dropped=${counts.dropped} ` +
    `${stored === undefined ? '' : `stored=${stored} `}reconnects=${reconnects} p50=${fromPlan.p50.toFixed(1)}ms ` +
    `p99=${fromPlan.p99.toFixed(1)}ms lag_p99=${lag.p99.toFixed(1)}ms`
}

export function formatInvalid ({ faults, lag }: Report): string {
  const why = [
    ...faults.map(({ message }) => message),
    ...(faults.length === 0 || lag.p99 > LAG_MS_MAX
      ? [`the simulator itself lagged (p99 ${lag.p99.toFixed(0)} ms, over ${LAG_MS_MAX} ms)`]
      : [])
  ]
  return `results are not valid: ${why.join('; and ')}`
}

const NAME_COLUMNS = 13

function section (name: string, text: string): Section {
  return { name, text }
}

function formatSection ({ name, text }: Section): string {
  return name.padEnd(NAME_COLUMNS) + text
}

function formatThreshold (threshold: ThresholdResult): string {
  return `${threshold.holds ? 'held    ' : 'NOT held'} ${threshold.text.padEnd(24)} ${formatValue(threshold)}`
}

function formatCounts ({ counts, drops, repeated }: Report): string {
  const { planned, captured, sent, acknowledged, dropped, unfinished }: Counts = counts
  const why = [
    ...(drops.full > 0 ? [`${drops.full} by a full queue`] : []),
    ...(drops.power > 0 ? [`${drops.power} without power`] : []),
    ...(drops['too-large'] > 0 ? [`${drops['too-large']} given up as too large`] : [])
  ]
  return `planned ${planned}, captured ${captured}, sent ${sent}, PUBACKed ${acknowledged}` +
    `${repeated > 0 ? ` (and ${repeated} once more)` : ''}, ` +
    `dropped at device ${dropped}${why.length > 0 ? ` (${why.join(', ')})` : ''}, unfinished ${unfinished}`
}

export function formatVerdictLines (verdict: Verdict): readonly string[] {
  return listVerdict(verdict).map(formatSection)
}

function listVerdict (verdict: Verdict): readonly Section[] {
  const { held, found, acknowledged, exempt, foreign, unread, seconds } = verdict
  const faults = (['lost', 'duplicated', 'corrupted', 'unexpected'] as const).map((name) => ({ name, ...verdict[name] }))
  const rest = [{ name: 'foreign', ...foreign }, ...(unread.count > 0 ? [{ name: 'unread', ...unread }] : [])]
  const counts = [...faults, ...rest].map(({ name, count }) => `${name} ${count}`)
  return [
    section('store', `${held ? 'held' : 'NOT held'}: ${found} of ${acknowledged} PUBACKed images ` +
      `are in the store${exempt > 0 ? ` (${exempt} more need not be)` : ''}; ${counts.join(', ')}; took ${seconds.toFixed(1)} s`),
    ...[...faults, { name: 'unread', ...unread }].flatMap(({ name, examples }) =>
      examples.map((each) => section('', `${name}: ${each}`)))
  ]
}

function formatLatencies (report: Report, verdict: Verdict | undefined): readonly Section[] {
  const { fromPlan, fromSend, counts, phases } = report
  const phased = phases.length > 1 ? phases : []
  return [
    section('latency', `planned capture to PUBACK  ${formatPercentiles(fromPlan)}`),
    section('', `send to PUBACK             ${formatPercentiles(fromSend)}`),
    ...(verdict === undefined ? [] : [section('', `planned capture to store   ${formatPercentiles(verdict.e2e)}`)]),
    ...phased.map(({ name, ...phase }) => section('', `in ${name.padEnd(23)} ${formatPercentiles(phase.fromPlan)}`)),
    section('', `${counts.unfinished} unfinished images are in no percentile above`)
  ]
}

function formatPercentiles ({ count, p50, p90, p99, p999, max }: Percentiles): string {
  if (count === 0) return 'none'
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((ms) => ms.toFixed(1).padStart(8))
  return `p50 ${a}  p90 ${b}  p99 ${c}  p99.9 ${d}  max ${e} ms`
}
