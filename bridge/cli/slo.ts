// `sluice slo`: how a month went against the target.

import { InvalidArgumentError, type Command } from 'commander'
import { formatCount, formatImages, formatSpan } from '../amounts.ts'
import type { LateCause } from '../slo/hour.ts'
import { isMonth, type BadHour, type Month } from '../slo/month.ts'
import { addApi, createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'
import { formatTable } from './table.ts'

const EXAMPLES = [
  'sluice slo',
  'sluice slo --month 2026-11',
  'sluice slo --month 2026-11 --json'
]

export function addSlo (program: Command, shell: Shell): void {
  const command = program.command('slo').description('a month against its target: share in time, latencies, availability, worst hours')
    .option('--month <month>', 'like 2026-11, in UTC; without it the one that runs', parseMonth)
  addApi(addExamples(command, EXAMPLES))
    .action(async (options: Options) => {
      const query = typeof options['month'] === 'string' ? `?month=${options['month']}` : ''
      // What the service says of itself; both sides are of one version.
      const month = await createApi(options, shell).ask('GET', `/api/v1/slo${query}`) as Month
      shell.print(formatAs(options, month, formatMonth))
    })
}

function parseMonth (text: string): string {
  if (isMonth(text)) return text
  throw new InvalidArgumentError('Write it like 2026-11.')
}

const CAUSES: { readonly [cause in LateCause]: string } = {
  store_away: 'the store was away',
  paused: 'uploads were paused',
  stopped: 'Sluice was not running',
  line: 'the line was too thin'
}

export function formatMonth (month: Month): string {
  const { images, targetSeconds, latencySeconds, seconds, causes } = month
  if (images.judged === 0) {
    return `${month.month}: no image was judged${seconds.known === 0 ? '; nothing is known of this month' : ''}`
  }
  const lateBy = (Object.keys(CAUSES) as LateCause[]).filter((cause) => causes[cause] > 0)
    .sort((a, b) => causes[b] - causes[a])
  return [
    headline(month),
    '',
    formatTable([
      ['judged', formatCount(images.judged)],
      ['in time', formatCount(images.good)],
      ['late', formatCount(images.late)],
      ['failed', formatCount(images.failed)],
      ['not arrived', formatCount(images.notArrived)]
    ]),
    '',
    formatTable([
      ['target', formatSpan(targetSeconds)],
      ...(['p50', 'p95', 'p99'] as const).map((name) => [name, formatLatency(latencySeconds[name])])
    ]),
    '',
    availability(month),
    ...lateBy.length === 0
      ? []
      : ['', 'late at the deadline because', formatTable(lateBy.map((cause) =>
          [formatCount(causes[cause]), CAUSES[cause]]))],
    ...month.worstHours.length === 0 ? [] : ['', 'worst hours', formatTable(month.worstHours.map(formatHour))]
  ].join('\n')
}

function headline ({ month, share = 0, objective, budgetUsed, targetSeconds }: Month): string {
  const budget = budgetUsed === undefined ? '' : `; ${exact(budgetUsed)} of the error budget is used`
  return `${month}: ${exact(share)} in the store within ${formatSpan(targetSeconds)}, ` +
    `objective ${exact(objective)}: ${share >= objective ? 'met' : 'MISSED'}${budget}`
}

/** To a hundredth, and never rounded up to all of it. */
function exact (share: number): string {
  return `${String(Math.floor(share * 10_000 + 1e-6) / 100)}%`
}

function formatLatency (seconds: number | null | undefined): string {
  if (seconds === undefined) return 'not known'
  return seconds === null ? 'not arrived' : formatSpan(seconds)
}

function availability ({ availability: share, seconds }: Month): string {
  if (share === undefined) return 'availability is not known'
  const gaps = [
    [seconds.notRunning, 'not running'], [seconds.notAccepting, 'not accepting'], [seconds.storeAway, 'with the store away'],
    [seconds.paused, 'with uploads paused'], [seconds.behind, 'with an image waiting past the target']
  ] as const
  const told = gaps.filter(([span]) => span > 0).map(([span, what]) => `${formatSpan(span)} ${what}`)
  const of = `images were taken ${exact(share)} of ${formatSpan(seconds.known)}`
  return told.length === 0 ? of : `${of}: ${told.join(', ')}`
}

function formatHour ({ at, missed, judged, cause }: BadHour): string[] {
  const why = cause === undefined ? '' : CAUSES[cause]
  return [`${at.slice(0, 13)}:00Z`, `${formatCount(missed)} of ${formatImages(judged)} missed`, why]
}
