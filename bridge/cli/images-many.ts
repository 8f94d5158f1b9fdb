// `sluice images retry` and `delete` for many: by a filter, and with a look before it.

import { Option, type Command } from 'commander'
import { formatBytes, formatImages } from '../amounts.ts'
import { describeMatches, type Matches } from '../http/matches.ts'
import type { Api } from './api.ts'
import { CommandError, EXIT } from './exit.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'

const FILTERS = ['state', 'reason', 'device', 'from', 'to'] as const

export function addFilters (command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'only failed images are meant by a filter').choices(['failed']))
    .option('--reason <reason>', 'only those that failed for this, as the list says it')
    .option('--device <id>', 'only those of one device')
    .option('--from <time>', 'accepted at or after, like 2026-11-03T06:00:00Z')
    .option('--to <time>', 'accepted before')
    .option('--dry-run', 'say how many they are, and do nothing')
}

/** Throws a CommandError where it is not clear whether one is meant or many, or which. */
export function checkTarget (image: string | undefined, options: Options): void {
  const isFiltered = FILTERS.some((name) => options[name] !== undefined)
  const isAll = options['all'] === true
  if (image !== undefined && (isFiltered || isAll)) {
    throw new CommandError(EXIT.usage, `${image} is one image; leave it out to mean many, or leave out the filter`)
  }
  if (image === undefined && !isFiltered && !isAll) {
    throw new CommandError(EXIT.usage,
      'name one image, or say which failed ones: --all, or some of --state failed, --reason, --device, --from, --to')
  }
  if (image !== undefined && options['dryRun'] === true) {
    throw new CommandError(EXIT.usage, `--dry-run is for many; "sluice images show ${image}" shows one`)
  }
}

type Answer = Partial<Matches> & { readonly retried?: number, readonly dropped?: number }

export async function retryMany (options: Options, api: Api, shell: Shell): Promise<void> {
  const answer = await api.ask('POST', `/api/v1/images/retry?${filterOf(options)}`) as Answer
  const again = `${formatImages(answer.retried ?? 0)} to be tried again`
  shell.print(formatAs(options, answer, () => wouldBe(answer, 'tried again') ?? again))
}

/** The service deletes nothing where `--confirm` is not the number it counts, and says the number. */
export async function dropMany (options: Options, api: Api, shell: Shell): Promise<void> {
  const answer = await api.ask('DELETE', `/api/v1/images?${filterOf(options)}`) as Answer
  const gone = `${formatImages(answer.dropped ?? 0)} deleted`
  shell.print(formatAs(options, answer, () => wouldBe(answer, 'deleted') ?? gone))
}

function filterOf (options: Options): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of [...FILTERS, 'confirm']) {
    const value = options[name]
    if (typeof value === 'string') query.set(name, value)
  }
  if (options['dryRun'] === true) query.set('dryRun', 'true')
  return query
}

/** What a dry run has found. */
function wouldBe ({ matched, bytes = 0, reasons = {} }: Answer, done: string): string | undefined {
  if (matched === undefined) return undefined
  if (matched === 0) return describeMatches({ matched, reasons })
  return `${describeMatches({ matched, reasons })}, ${formatBytes(bytes)} in all; nothing was ${done}, this was a dry run`
}
