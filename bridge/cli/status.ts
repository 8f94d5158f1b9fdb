// `sluice status`: how it stands, in one sentence and a few lines of numbers.

import type { Command } from 'commander'
import { formatBytes, formatCount, formatLine, formatPace, formatPercent, formatSpan } from '../amounts.ts'
import { describeOtherStore } from '../failed-elsewhere.ts'
import type { Pace } from '../rates.ts'
import type { Status } from '../status.ts'
import { addApi, createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'
import { formatTable } from './table.ts'

const EXAMPLES = [
  'sluice status',
  'sluice status --json',
  'sluice status --url http://10.0.0.5:8080 --token-file /etc/sluice/token'
]

export function addStatus (program: Command, shell: Shell): void {
  const command = program.command('status').description('how it stands: verdict, backlog, rates and ledger')
  addApi(addExamples(command, EXAMPLES))
    .action(async (options: Options) => {
      // What the service says of itself; both sides are of one version.
      const status = await createApi(options, shell).ask('GET', '/api/v1/status') as Status
      shell.print(formatAs(options, status, formatStatus))
    })
}

export function formatStatus (status: Status): string {
  const { images, backlog, rates, allowance, limit, spool, ledger, duplicates } = status
  const { newImageUpInSeconds } = status.forecast
  const soon = newImageUpInSeconds === undefined || backlog.count === 0
    ? []
    : [['an image of now', `up in ${formatSpan(newImageUpInSeconds)}`]]
  const other = status.failedUnderOtherStore
  const oldest = backlog.count === 0 ? '' : `oldest ${formatSpan(backlog.oldestSeconds)}`
  const { acknowledged, uploaded, waiting, failed, dropped } = ledger
  const parts = Object.entries({ uploaded, waiting, failed, dropped })
    .map(([name, count]) => `${formatCount(count)} ${name}`)
  return [
    status.verdict.sentence,
    '',
    formatTable([
      row('waiting', images.waiting, oldest),
      row('uploading', images.uploading),
      row('retrying', images.retrying),
      row('failed', images.failed),
      row('uploaded', images.uploaded, status.store.place),
      ['refused', formatCount(images.refused.count), '', 'since the start'],
      ['duplicates', formatCount(duplicates), '', 'since the start']
    ]),
    '',
    formatTable([
      ['in', ...paceOf(rates.in)],
      ['out', ...paceOf(rates.out)],
      ['allowance', formatLine(allowance.bytesPerSecond ?? Infinity), `${formatPercent(allowance.used)} used`, nextOf(limit)],
      ...soon,
      ['spool', formatBytes(spool.usedBytes), `of ${formatBytes(spool.limitBytes)}`],
      ['disk', formatBytes(spool.diskFreeBytes), 'free']
    ]),
    '',
    ...other === 0 ? [] : [describeOtherStore(other), ''],
    `${formatCount(acknowledged)} acknowledged = ${parts.join(' + ')}${ledger.exact ? '' : ' (does not add up)'}`
  ].join('\n')
}

function row (name: string, { count, bytes }: Status['images']['uploaded'], note = ''): string[] {
  return [name, formatCount(count), bytes === undefined || bytes === 0 ? '' : formatBytes(bytes), note]
}

/** `until 2026-11-23T22:00:00Z, then 23.8 Mbit/s`. */
function nextOf ({ until, next }: Status['limit']): string {
  if (until === undefined || next === undefined) return ''
  return `until ${until}, then ${next.bytesPerSecond === 0 ? 'none' : formatLine(next.bytesPerSecond ?? Infinity)}`
}

function paceOf ({ imagesPerSecond, bytesPerSecond }: Pace): readonly [string, string] {
  return [`${formatPace(imagesPerSecond)} images/s`, formatLine(bytesPerSecond)]
}
