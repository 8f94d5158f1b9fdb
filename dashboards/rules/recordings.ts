// Series that Prometheus makes of ours, by its naming: level:metric:operations.

import { catalogue } from '../../bridge/metric-catalogue.ts'
import { select, span, type RuleOptions } from './options.ts'

export interface Recording {
  readonly record: string
  readonly expr: string
}

/** Minutes by the name that a window has in the name of a series. */
const windows = { '5m': 5, '30m': 30, '1h': 60, '2h': 120, '6h': 360, '1d': 1440, '3d': 4320 } as const
export type Window = keyof typeof windows

export const recorded = {
  ingestBytes: 'instance:sluice_ingest_bytes:rate5m',
  uploadBytes: 'instance:sluice_upload_bytes:rate5m',
  pendingBytes: 'instance:sluice_spool_pending_bytes:sum',
  pendingMessages: 'instance:sluice_spool_pending_messages:sum',
  growth: 'instance:sluice_spool_disk_used_bytes:deriv15m',
  pendingGrowth: 'instance:sluice_spool_pending_bytes:deriv15m',
  oldestAge: 'instance:sluice_spool_oldest_age:seconds',
  timeToEmpty: 'instance:sluice_spool_time_to_empty:seconds',
  timeToFull: 'instance:sluice_spool_time_to_full:seconds',
  spoolRatio: 'instance:sluice_spool_used_per_limit:ratio',
  errorBudget: 'job:sluice_slo_error_budget:ratio'
} as const

/** Of the images judged within a window, those that were not in time. */
export const missed = (window: Window): string => `job:sluice_slo_errors_per_messages:ratio_rate${window}`

export function flowRecordings (options: RuleOptions): Recording[] {
  const of = ({ name }: { readonly name: string }, ...matchers: readonly string[]) => select(options, name, ...matchers)
  const { pendingBytes, pendingMessages, pendingGrowth, growth } = recorded
  const { ingestBytes, uploadBytes, spoolBytes, spoolMessages, spoolOldest, spoolDiskUsed, spoolLimit } = catalogue
  const over = (minutes: number) => `[${span(options, minutes)}]`
  return [
    { record: recorded.ingestBytes, expr: `sum without (format) (rate(${of(ingestBytes)}${over(5)}))` },
    { record: recorded.uploadBytes, expr: `rate(${of(uploadBytes)}${over(5)})` },
    { record: pendingBytes, expr: `sum without (state) (${of(spoolBytes, 'state!="failed"')})` },
    { record: pendingMessages, expr: `sum without (state) (${of(spoolMessages, 'state!="failed"')})` },
    // Bytes a second; below 0 while the backlog is worked off.
    { record: pendingGrowth, expr: `deriv(${pendingBytes}${over(15)})` },
    { record: growth, expr: `deriv(${of(spoolDiskUsed)}${over(15)})` },
    { record: recorded.oldestAge, expr: `(time() - ${of(spoolOldest)}) * (${of(spoolOldest)} > bool 0)` },
    // The limit is one of the disk, whatever the images themselves take.
    { record: recorded.spoolRatio, expr: `${of(spoolDiskUsed)} / ${of(spoolLimit)}` },
    // There is one of these only while the backlog shrinks, and the other only while it grows.
    { record: recorded.timeToEmpty, expr: `${pendingBytes} / -(${pendingGrowth} < 0)` },
    { record: recorded.timeToFull, expr: `clamp_min(${of(spoolLimit)} - ${of(spoolDiskUsed)}, 0) / (${growth} > 0)` }
  ]
}

export function sloRecordings (options: RuleOptions): Recording[] {
  const { sloMessages, sloObjective } = catalogue
  const per = (minutes: number, ...matchers: readonly string[]) =>
    `sum without (instance, verdict) (rate(${select(options, sloMessages.name, ...matchers)}[${span(options, minutes)}]))`
  const objective = `max without (instance) (${select(options, sloObjective.name)})`
  return [
    ...Object.entries(windows).map(([window, minutes]) => ({
      record: missed(window as Window),
      expr: `${per(minutes, 'verdict!="good"')} / (${per(minutes)} > 0)`
    })),
    // From the process where nobody says otherwise, so that alert, panel and configuration agree.
    {
      record: recorded.errorBudget,
      expr: options.objective === undefined ? `1 - ${objective}` : `${objective} * 0 + ${Number((1 - options.objective).toFixed(6))}`
    }
  ]
}
