import { Command, CommanderError, Option } from 'commander'
import { SimulatorError } from '../errors.ts'
import { EXIT, exitCodeOf, type ExitCode, type Shell } from './exit.ts'
import { SCENARIO_FLAGS } from './flags.ts'
import type { RunFlags } from './options.ts'
import { showPresets } from './presets.ts'
import { runCommand } from './run.ts'
import { serveStore } from './store.ts'
import { verifyCommand, type VerifyFlags } from './verify.ts'

const EXAMPLES = `Devices that take pictures and publish them over MQTT 3.1.1, and a judge of what became of them.

Examples:
  npm run simulate -- run smoke
  npm run simulate -- run -c 100 -d 60s --verify --threshold 'e2e_p99<10s'
  npm run simulate -- run outage --verify --s3-file ./data/store/local-store.json --html report.html
  npm run simulate -- run my-site.yaml --rate 4/min
  npm run simulate -- presets outage > my-site.yaml
  npm run simulate -- verify --run ./data/runs/1a2b3c4d.json
  npm run simulate -- store --bandwidth 40Mbit --latency 20ms
`
const RUN_EXAMPLES = `Examples:
  npm run simulate -- run -c 1000 --rate 2/min -s 'normal(250KB,40KB)' -d 5m
  npm run simulate -- run --model closed -c 50 -L 20000
  npm run simulate -- run --images ./photos --format mix:raw=80,json=20 --flap 60s,for=2s --verify
  npm run simulate -- run site --uplink 40Mbit,outage=60s+30s --out report.json

A scenario is the name of a preset or a YAML file; flags go before what it says. Load is open loop:
latency counts from the planned capture, and what a device cannot send waits in it.
Exit codes: 0 held, 64 usage, 69 broker or store not reachable, 70 a worker died, 78 the scenario is wrong,
99 a threshold failed or images are lost, duplicated, corrupted or unexpected, 130 interrupted.
`

/** Runs the command that the arguments name, and says how it ended. */
export async function runProgram (args: readonly string[], shell: Shell, signal: AbortSignal): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = createProgram(shell, signal, (ended) => { code = ended })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Commander has said what it has to say; help counts as well done.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (!(error instanceof SimulatorError)) throw error
    shell.tell(error.message)
    return exitCodeOf(error)
  }
}

function createProgram (shell: Shell, signal: AbortSignal, finish: (code: ExitCode) => void): Command {
  const program = prepare(new Command('simulate'), shell).addHelpText('before', EXAMPLES)
  const run = prepare(program.command('run', { isDefault: true }), shell)
    .description('simulate devices, and judge what became of their images (what is meant without a command)')
    .argument('[scenario]', 'a preset, or a YAML file')
    .addHelpText('before', RUN_EXAMPLES)
  for (const { flags, help, group, isHidden, isRepeated } of SCENARIO_FLAGS) {
    const option = new Option(flags, help).helpGroup(`${group}:`)
    // A variadic option would take the scenario behind it, too.
    if (isRepeated === true) option.argParser((value, before?: readonly string[]) => [...before ?? [], value])
    run.addOption(isHidden === true ? option.hideHelp() : option)
  }
  addJudging(run.optionsGroup('Store:').option('--verify', 'look for every PUBACKed image in the store, by name and SHA-256'))
    .optionsGroup('Outcome:')
    .option('--run-file <file>', 'what `verify --run` needs, written as it happens (with --verify ./data/runs/<run>.json)')
    .option('--out <file>', 'the report as JSON, or as CSV where it is called .csv; - is standard output')
    .option('--json', 'the same as --out -')
    .option('--html <file>', 'the report as one page with charts, for any browser, offline')
    .option('--metrics-port <port>', 'answer Prometheus on 127.0.0.1 while it runs')
    .option('--quiet', 'nothing on the way there')
    .option('--save-options <file>', 'write these flags to a file, without passwords')
    .option('--load-options <file>', 'read flags from such a file; those given here go before them')
    .action(async (scenario: string | undefined, flags: RunFlags) => {
      // A default is nothing that was given, and would go before what --load-options reads.
      const given = Object.entries(flags).filter(([name]) => run.getOptionValueSource(name) !== 'default')
      finish(await runCommand(scenario, Object.fromEntries(given), { options: run.options, shell, signal }))
    })
  prepare(program.command('presets'), shell).description('list the scenarios there are, or print one as YAML')
    .argument('[name]').action((name: string | undefined) => { showPresets(name, shell) })
  addJudging(prepare(program.command('verify'), shell).description('judge a run from what it wrote, now or again'))
    .requiredOption('--run <file>', 'what --run-file wrote')
    .option('--allow-remote', 'read a store beyond this machine')
    .option('--json', 'print the verdict as JSON')
    .action(async (flags: VerifyFlags) => { finish(await verifyCommand(flags, shell, signal)) })
  prepare(program.command('store'), shell)
    .description('the local store alone, with bandwidth, latency, errors and outages; to point a service at')
    .option('--bandwidth <rate>', 'how fast it takes bodies, such as 40Mbit')
    .option('--latency <time>', 'before each answer')
    .option('--errors <share>', 'of requests that are answered with 503')
    .option('--outage <at+for>', 'nothing listens, such as 30s+10s')
    .option('--listen <address>', 'where S3 clients connect', '127.0.0.1:9000')
    .option('--dir <dir>', 'where objects and access file lie', './data/store')
    .action(async (flags: Readonly<Record<string, string>>) => { finish(await serveStore(flags, shell, signal)) })
  return program
}

function prepare (command: Command, { print, tell }: Shell): Command {
  return command
    .helpOption('--help', 'show this') // -h is the host, as everywhere
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('(--help lists the options)')
    .configureOutput({
      writeOut: (text) => { print(text.replace(/\n$/, '')) },
      writeErr: (text) => { tell(text.replace(/\n$/, '')) }
    })
}

function addJudging (command: Command): Command {
  return command
    .option('--verify-timeout <time>', 'how long images may take to get there (5m)')
    .option('--s3-file <file>', 'where the store is, as Sluice and `simulate -- store` write it (./data/local-store.json)')
    .option('--s3-endpoint <url>', 'the object store (AWS_ENDPOINT_URL_S3)')
    .option('--s3-bucket <bucket>', 'its bucket')
    .option('--s3-region <region>', 'its region (AWS_REGION)')
    .option('--s3-access-key-id <id>', 'credentials (the standard AWS environment)')
    .option('--s3-secret-access-key <key>', 'credentials')
    .option('--store-control <url>', 'where the faults of `simulate -- store` are turned (from --s3-file)')
}
