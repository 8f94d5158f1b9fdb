import { Command, CommanderError } from 'commander'
import { addCheck } from './check.ts'
import { addConfig } from './config.ts'
import { addDemo } from './demo.ts'
import { addExamples } from './examples.ts'
import { EXIT, explainFailure, type ExitCode } from './exit.ts'
import { addExplain } from './explain.ts'
import { addImages } from './images.ts'
import { addPasswd } from './passwd.ts'
import { addPlan } from './plan.ts'
import { addServe } from './serve.ts'
import type { Finish, Shell } from './shell.ts'
import { addSlo } from './slo.ts'
import { addStatus } from './status.ts'
import { addStore } from './store.ts'
import { addUplink } from './uplink.ts'

const EXAMPLES = [
  'sluice serve                                    start with the defaults, all of it in ./data',
  'sluice serve --uplink-capacity 100Mbit          the same on another line',
  'sluice demo                                     a fleet, an outage, and the proof that nothing was lost',
  'sluice config example > sluice.yaml             every setting with its default',
  'sluice check -c sluice.yaml                     would it start?',
  'sluice plan --devices 1000 --size 250KB         would the site fit its line and its disk?',
  'sluice status                                   how does it stand?',
  'sluice slo --month 2026-11                      what share of a month was in time, and why not the rest?',
  'sluice explain cam-1:20261103-060000            where is it, what happened, what comes next?',
  'sluice uplink limit 6Mbit --for 1h              leave more of the line to others',
  'mosquitto_pub -t devices/cam-1/images -q 1 -f photo.jpg'
]

/** Runs the command that the arguments name, and says how it ended. Never throws. */
export async function run (args: readonly string[], shell: Shell): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = createProgram(shell, (ended) => { code = ended })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Commander has said what it has to say; help and version count as well done.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const failure = explainFailure(error)
    shell.say(`sluice: ${failure.message}`)
    return failure.code
  }
}

function createProgram (shell: Shell, finish: Finish): Command {
  const program = new Command('sluice')
    .description('Takes images from devices over MQTT, keeps each one safe on its own disk before it says so, and lets them out to S3 no faster than the share of the line it was given.')
    .version(shell.version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: (text) => { shell.print(text.replace(/\n$/, '')) },
      writeErr: (text) => { shell.say(text.replace(/\n$/, '')) }
    })
  addExamples(program, EXAMPLES)
  addServe(program, shell, finish)
  addDemo(program, shell, finish)
  addCheck(program, shell, finish)
  addConfig(program, shell, finish)
  addPasswd(program, shell)
  addPlan(program, shell)
  addStatus(program, shell)
  addSlo(program, shell)
  addImages(program, shell)
  addUplink(program, shell)
  addExplain(program, shell)
  addStore(program, shell, finish)
  return program
}
