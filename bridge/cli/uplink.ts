// `sluice uplink`: how much of the line uploads may take, and until when.

import type { Command } from 'commander'
import { formatLine } from '../amounts.ts'
import type { UplinkJson } from '../http/uplink.ts'
import type { LimitTerms } from '../limit-status.ts'
import { addApi, createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'
import { formatTable } from './table.ts'

const EXAMPLES = [
  'sluice uplink show',
  'sluice uplink limit 6Mbit --for 1h --reason "the backup needs the line"',
  'sluice uplink limit 30%',
  'sluice uplink limit default',
  'sluice uplink pause --for 30m --reason maintenance',
  'sluice uplink resume'
]

export function addUplink (program: Command, shell: Shell): void {
  const uplink = program.command('uplink').description('show, limit, pause or resume uploads')
  addExamples(uplink, EXAMPLES)
  addApi(uplink.command('show').description('the limit in force, why, and what comes next'))
    .action(async (options: Options) => { await run(options, shell, 'GET', '') })
  addTerms(uplink.command('limit').description('let uploads take another rate, until it is put back'))
    .argument('<limit>', 'a rate of the line like 6Mbit, a share of it like 30%, or default')
    .action(async (limit: string, options: Options) => {
      const amount = limit === 'default' ? { rate: null } : limit.includes('%') ? { share: limit } : { rate: limit }
      await run(options, shell, 'PATCH', '/limits', { ...amount, ...termsOf(options) })
    })
  addTerms(uplink.command('pause').description('begin no upload; what is under way ends, images are taken as ever'))
    .action(async (options: Options) => { await run(options, shell, 'POST', '/pause', termsOf(options)) })
  addApi(uplink.command('resume').description('end a pause; the timetable holds again'))
    .action(async (options: Options) => { await run(options, shell, 'POST', '/resume') })
}

function addTerms (command: Command): Command {
  return addApi(command
    .option('--for <time>', 'put it back by itself after, like 90s, 30m or 1h')
    .option('--reason <text>', 'what others read about it'))
}

function termsOf (options: Options): object {
  return { for: options['for'], reason: options['reason'] }
}

async function run (
  options: Options, shell: Shell, ...[method, path, body]: ['GET' | 'POST' | 'PATCH', string, object?]
): Promise<void> {
  const answer = await createApi(options, shell).ask(method, `/api/v1/uplink${path}`, body) as UplinkJson
  shell.print(formatAs(options, answer, formatUplink))
  if (answer.warning !== undefined) shell.say(`sluice: ${answer.warning}`)
}

export function formatUplink ({ limit, override, pause, capacity, overhead, timeZone }: UplinkJson): string {
  const { next } = limit
  const ordered = override?.rate ?? override?.share
  const behind = ordered === undefined || limit.source !== 'override' || limit.paused === undefined
    ? []
    : [['ordered', `${ordered} after the pause`, endOf(override?.until)]]
  return formatTable([
    ['now', formatLimit(limit), endOf(limit.until)],
    ...limit.reason === undefined ? [] : [['reason', limit.reason]],
    ...limit.since === undefined ? [] : [['since', limit.since]],
    ...behind,
    ...next === undefined ? [] : [['next', formatLimit(next), endOf(next.until)]],
    ['line', pause === undefined && ordered !== undefined ? `${capacity}, of which ${ordered} ordered` : capacity],
    ['overhead', `${overhead} of that is left to TCP and IP`],
    ['time zone', timeZone]
  ])
}

function formatLimit ({ bytesPerSecond, source, paused }: LimitTerms): string {
  if (paused === 'operator') return 'paused by an operator'
  if (paused === 'schedule') return 'off by the timetable'
  const why = { override: 'set by an operator', timetable: 'by the timetable', share: 'the usual share' }
  return `${formatLine(bytesPerSecond ?? Infinity)}, ${why[source]}`
}

function endOf (until: string | undefined): string {
  return until === undefined ? '' : `until ${until}`
}
