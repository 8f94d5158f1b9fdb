// `sluice config`: what is set, what could be, and whether it is right.

import type { Command } from 'commander'
import { configSchema, describeConfig, exampleConfig, formatDescribed } from '../config/describe.ts'
import { ConfigError } from '../config/problems.ts'
import { readConfig } from '../config/read-config.ts'
import type { Sources } from '../config/sources.ts'
import { addExamples } from './examples.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { addSettings, readSources } from './flags.ts'
import { formatAs, type Options } from './output.ts'
import type { Finish, Shell } from './shell.ts'

const EXAMPLES = [
  'sluice config example > sluice.yaml        every setting with its default and what it means',
  'sluice config validate -c sluice.yaml      every problem at once',
  'sluice config print -c sluice.yaml         every value, and who set it',
  'sluice config schema > sluice.schema.json  for an editor'
]

export function addConfig (program: Command, shell: Shell, finish: Finish): void {
  const config = program.command('config').description('check, print or explain the configuration')
  addExamples(config, EXAMPLES)
  addSettings(config.command('validate').description('say every problem at once; 78 if there is one'))
    .option('--json', 'problems as JSON')
    .action((options: Options) => { finish(validate(readSources(options, shell), options, shell)) })
  addSettings(config.command('print').description('print every value with its source, secrets as ******'))
    .option('--json', 'as JSON')
    .action((options: Options) => {
      const described = describeConfig(readSources(options, shell))
      shell.print(formatAs(options, described, (all) => formatDescribed(all).trimEnd()))
    })
  config.command('schema').description('print a JSON schema of the file')
    .action(() => { shell.print(JSON.stringify(configSchema(), undefined, 2)) })
  config.command('example').description('print a file of defaults with what each means')
    .action(() => { shell.print(exampleConfig().trimEnd()) })
}

function validate (sources: Sources, options: Options, shell: Shell): ExitCode {
  const error = findError(sources)
  if (options['json'] === true) {
    shell.print(JSON.stringify({ valid: error === undefined, problems: error?.problems ?? [] }, undefined, 2))
  } else if (error === undefined) {
    shell.print(`${sources.file ?? 'the configuration'} is valid`)
  } else {
    shell.say(`sluice: ${error.message}`)
  }
  return error === undefined ? EXIT.ok : EXIT.config
}

function findError (sources: Sources): ConfigError | undefined {
  try {
    readConfig(sources)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}
