import { catalogue } from '../../bridge/metric-catalogue.ts'
import type { Alert } from './alert.ts'
import { seconds, select, span, type RuleOptions } from './options.ts'
import { recorded } from './recordings.ts'

const { uploadPaused, uploadLastSuccess, uploadAttempts, uploadMessages, uploadAllowance } = catalogue

export function alerts (options: RuleOptions): Alert[] {
  const { backlogMinutes, uploadErrorRatio } = options.thresholds
  const of = ({ name }: { readonly name: string }, ...matchers: readonly string[]) => select(options, name, ...matchers)
  const over = (minutes: number) => `[${span(options, minutes)}]`
  const older = (series: string) => `(time() - ${series}) > ${seconds(options, 5)}`
  const puts = (results: string) => `sum without (result) (rate(${of(uploadAttempts, `result=~"${results}"`)}${over(10)}))`
  const paused = `max without (reason) (${of(uploadPaused, 'reason=~"operator|schedule"')}) == 1`
  const allowance = of(uploadAllowance)
  return [
    {
      name: 'SluiceUploadsStalled',
      severity: 'critical',
      // Not in the first minutes of a process, which has stored nothing yet.
      expr: `${recorded.pendingMessages} > 0 and ${older(of(uploadLastSuccess))} ` +
        `and ${older(select(options, 'process_start_time_seconds'))} unless (${paused})`,
      minutes: 2,
      summary: 'Images wait, and for five minutes none has reached the store.',
      description: '{{ $value }} images wait on {{ $labels.instance }}; they are safe on its disk.'
    },
    {
      name: 'SluiceBacklogGrowing',
      severity: 'warning',
      expr: `${recorded.oldestAge} > ${seconds(options, backlogMinutes)} and ${recorded.pendingGrowth} > 0`,
      minutes: 15,
      summary: 'More comes in than goes out.',
      description: 'The oldest image on {{ $labels.instance }} has waited {{ $value | humanizeDuration }}, and the backlog still grows.'
    },
    {
      name: 'SluiceIngestAboveAllowance',
      severity: 'warning',
      // Over a day, so that a timetable which catches up at night is not called too thin. 0 throughout: no limit.
      expr: `avg_over_time(${recorded.ingestBytes}${over(1440)}) > avg_over_time(${allowance}${over(1440)}) ` +
        `and max_over_time(${allowance}${over(1440)}) > 0`,
      minutes: 30,
      summary: 'The fleet sends more in a day than the allowance lets out in a day.',
      description: '{{ $value | humanize }}B a second come in on {{ $labels.instance }}, more than may go out; the backlog grows until the spool is full.'
    },
    {
      name: 'SluiceUploadErrorRatioHigh',
      severity: 'warning',
      expr: `${puts('retryable|permanent')} / (${puts('.+')} > 0) > ${uploadErrorRatio}`,
      minutes: 10,
      summary: 'Many puts fail.',
      description: '{{ $value | humanizePercentage }} of the puts of {{ $labels.instance }} fail; each takes line that an image could have had.'
    },
    {
      name: 'SluiceUploadsPausedForLong',
      severity: 'warning',
      expr: `min_over_time(${of(uploadPaused, 'reason="operator"')}${over(60)}) == 1`,
      summary: 'An operator paused uploads more than an hour ago.',
      description: 'Uploads on {{ $labels.instance }} have been paused for more than an hour; images are taken, and wait.'
    },
    {
      name: 'SluiceImagesFailed',
      severity: 'warning',
      expr: `increase(${of(uploadMessages, 'result="failed"')}${over(60)}) > 0`,
      summary: 'The store refused images for good.',
      description: '{{ $value | humanize }} images on {{ $labels.instance }} were set aside within an hour; they are kept until an operator decides.'
    }
  ]
}
