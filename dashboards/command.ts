// What can be asked of the generator.

import { parseArgs } from 'node:util'
import { defaults, type RuleOptions, type Thresholds } from './rules/rules.ts'

export interface Command {
  readonly isCheck: boolean
  readonly isHelp: boolean
  /** Where to, if not into the tree. */
  readonly folder: string | undefined
  readonly rules: RuleOptions
}

/** Says what is wrong and what would be right. */
export class UsageError extends Error {}

const { thresholds } = defaults
const names = Object.keys(thresholds) as Array<keyof Thresholds>

export const usage = `usage: npm run dashboards -- [options]

  (none)                      write the dashboards and the rules of the repository
  --check                     write nothing; say whether they are up to date, and end with 1 where they are not
  --to <folder>               write them there, with these options for the rules:
  --job <name>                the job that scrapes Sluice, a regular expression (default: ${defaults.job})
  --objective <share>         of the images in time, such as 0.995 (default: slo.objective of each process)
  --runbooks <url>            where docs/runbooks is served (default: ${defaults.runbooks})
  --minute <seconds>          how long a minute of the rules lasts; below 60 for a rehearsal (default: 60)
  --threshold <name>=<value>  from where on something is wrong; as often as you like:
${names.map((name) => `                                ${name}=${thresholds[name]}`).join('\n')}
  --help                      this text
`

/** Throws UsageError. */
export function readCommand (args: readonly string[]): Command {
  const { check, help, to, job, objective, runbooks, minute, threshold } = parse(args)
  const given = [job, objective, runbooks, minute, ...threshold].some((value) => value !== undefined)
  if (given && to === undefined) throw new UsageError('the rules in the tree have the defaults: name another folder with --to')
  return {
    isCheck: check,
    isHelp: help,
    folder: to,
    rules: {
      job: job ?? defaults.job,
      objective: objective === undefined ? undefined : readNumber('--objective', objective, 1),
      runbooks: runbooks?.replace(/\/+$/, '') ?? defaults.runbooks,
      minuteSeconds: minute === undefined ? defaults.minuteSeconds : readNumber('--minute', minute, 60),
      thresholds: { ...thresholds, ...Object.fromEntries(threshold.map(readThreshold)) }
    }
  }
}

function parse (args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        to: { type: 'string' },
        job: { type: 'string' },
        objective: { type: 'string' },
        runbooks: { type: 'string' },
        minute: { type: 'string' },
        threshold: { type: 'string', multiple: true, default: [] }
      }
    })
    return values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function readThreshold (text: string): [keyof Thresholds, number] {
  const [given = '', value = ''] = text.split('=')
  const name = names.find((name) => name === given)
  if (name === undefined) throw new UsageError(`--threshold ${text}: there is no threshold '${given}', but ${names.join(', ')}`)
  return [name, readNumber(`--threshold ${name}`, value, Infinity)]
}

function readNumber (option: string, text: string, max: number): number {
  const value = text.trim() === '' ? NaN : Number(text)
  if (value > 0 && value <= max) return value
  throw new UsageError(`${option} ${text}: write a number above 0${max === Infinity ? '' : `, and ${max} at most`}`)
}
