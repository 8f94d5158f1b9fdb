// The report for other programs.

import type { Outcome } from './outcome.ts'

/** Everything but the images themselves. */
export function formatJson ({ report, verdict, notJudged, thresholds }: Outcome): string {
  const { evidence, ...summary } = report
  return JSON.stringify({ ...summary, thresholds, verdict, notJudged }, undefined, 2)
}

const COLUMNS = ['seconds', 'connected', 'captured', 'acknowledged', 'unfinished', 'stored', 'p50', 'p99'] as const

/** A row for each second (RFC 4180); latencies in ms, and what was not measured is empty. */
export function formatCsv ({ report }: Outcome): string {
  const rows = report.samples.map((sample) => COLUMNS.map((column) => {
    const value = sample[column]
    return value === undefined ? '' : String(Number(value.toFixed(3)))
  }).join(','))
  return `${[COLUMNS.join(','), ...rows].join('\r\n')}\r\n`
}
