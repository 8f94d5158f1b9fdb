// `sluice status`: how it stands, in one sentence and a few lines of numbers.

import type { Command } from 'commander'
import { formatBytes, formatCount, formatLine, formatLineOf, formatPace, formatPercent, formatSpan } from '../amounts.ts'
import { describeOtherStore } from '../failed-elsewhere.ts'
import { lanesInUse } from '../lane-status.ts'
import { formatLimit } from '../limit-status.ts'
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
  const other = status.failedUnderOtherStore
  const oldest = backlog.count === 0 ? '' : `oldest ${formatSpan(backlog.oldestSeconds)}`
  const { acknowledged, uploaded, waiting, failed, dropped } = ledger
  const parts = Object.entries({ uploaded, waiting, failed, dropped })
    .map(([name, count]) => `${formatCount(count)} ${name}`)
  return [
    status.verdict.sentence,
    ...status.warnings.map(({ sentence, since }) => `${sentence} (seen since ${since})`),
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
      ['allowance', formatLine(allowance.bytesPerSecond ?? Infinity), `${formatPercent(allowance.used)} used`,
        formatLimit(limit, (until) => `until ${until}`)],
      ...carried(allowance),
      ...soon(status),
      ['spool', formatBytes(spool.usedBytes), `of ${formatBytes(spool.limitBytes)}`],
      ['disk', formatBytes(spool.diskFreeBytes), 'free']
    ]),
    '',
    ...lanes(backlog.lanes),
    ...other === 0 ? [] : [describeOtherStore(other), ''],
    `${formatCount(acknowledged)} acknowledged = ${parts.join(' + ')}${ledger.exact ? '' : ' (does not add up)'}`
  ].join('\n')
}

function row (name: string, { count, bytes }: Status['images']['uploaded'], note = ''): string[] {
  return [name, formatCount(count), bytes === undefined || bytes === 0 ? '' : formatBytes(bytes), note]
}

/** Where the line is what limits. */
function carried ({ bytesPerSecond = Infinity, carriedBytesPerSecond: line = Infinity }: Status['allowance']): string[][] {
  return line < bytesPerSecond ? [['line', 'carries', `${formatLineOf(line, bytesPerSecond)} allowed`]] : []
}

/** Where all lanes are not told of one by one. */
function soon ({ backlog: { count, lanes } }: Status): string[][] {
  const { newImageUpInSeconds } = lanes.normal
  if (newImageUpInSeconds === undefined || count === 0 || lanesInUse(lanes).length > 0) return []
  return [['an image of now', `up in ${formatSpan(newImageUpInSeconds)}`]]
}

function lanes (all: Status['backlog']['lanes']): string[] {
  const used = lanesInUse(all).map(([name, { count, bytes, newImageUpInSeconds: upIn, ...age }]) => [
    name, formatCount(count), count === 0 ? '' : formatBytes(bytes),
    age.oldestReceivedAt === undefined ? '' : formatSpan(age.oldestSeconds),
    upIn === undefined ? 'not known' : formatSpan(upIn)
  ])
  if (used.length === 0) return []
  return [formatTable([['lane', 'waiting', '', 'oldest', 'an image of now is up in'], ...used]), '']
}

function paceOf ({ imagesPerSecond, bytesPerSecond }: Pace): readonly [string, string] {
  return [`${formatPace(imagesPerSecond)} images/s`, formatLine(bytesPerSecond)]
}
