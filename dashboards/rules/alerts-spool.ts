import { catalogue } from '../../bridge/metric-catalogue.ts'
import type { Alert } from './alert.ts'
import { seconds, select, span, type RuleOptions } from './options.ts'
import { recorded } from './recordings.ts'

export function alerts (options: RuleOptions): Alert[] {
  const { fullMinutes, spoolRatio, diskFreeRatio } = options.thresholds
  const of = ({ name }: { readonly name: string }) => select(options, name)
  const { ingestPaused, spoolErrors, spoolDiskFree, spoolDiskSize } = catalogue
  return [
    {
      name: 'SluiceSpoolWillFill',
      severity: 'critical',
      expr: `${recorded.timeToFull} < ${seconds(options, fullMinutes)} and ${recorded.spoolRatio} > 0.2`,
      minutes: 10,
      summary: 'The spool will be full within hours.',
      description: 'At the present pace the spool of {{ $labels.instance }} is full in {{ $value | humanizeDuration }}; devices then get no PUBACK.'
    },
    {
      name: 'SluiceSpoolNearlyFull',
      severity: 'warning',
      expr: `${recorded.spoolRatio} > ${spoolRatio}`,
      minutes: 5,
      summary: 'The spool is nearly full.',
      description: 'The spool of {{ $labels.instance }} is {{ $value | humanizePercentage }} full.'
    },
    {
      name: 'SluiceIngestPaused',
      severity: 'critical',
      expr: `max without (reason) (${of(ingestPaused)}) == 1`,
      minutes: 1,
      summary: 'Devices get no PUBACK.',
      description: '{{ $labels.instance }} takes no images: its spool or disk is full, its storage fails, or it is stopping. Devices keep what they have.'
    },
    {
      name: 'SluiceSpoolErrors',
      severity: 'critical',
      expr: `increase(${of(spoolErrors)}[${span(options, 10)}]) > 0`,
      summary: 'The spool reports storage errors.',
      description: 'On {{ $labels.instance }} the operation {{ $labels.op }} failed {{ $value | humanize }} times in ten minutes.'
    },
    {
      name: 'SluiceDiskFillingUp',
      severity: 'warning',
      expr: `${of(spoolDiskFree)} / ${of(spoolDiskSize)} < ${diskFreeRatio} ` +
        `and predict_linear(${of(spoolDiskFree)}[${span(options, 360)}], ${seconds(options, 1440)}) < 0`,
      minutes: 60,
      summary: 'The volume of the spool will be full within a day.',
      description: '{{ $value | humanizePercentage }} of the spool\'s volume on {{ $labels.instance }} is free, and it will not last a day.'
    }
  ]
}
