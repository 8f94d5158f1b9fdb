import { Command, InvalidArgumentError, Option } from 'commander'
import { EXIT, runCommand, type Flags } from './command.ts'
import { SimulatorError } from './errors.ts'
import { DEFAULTS } from './options.ts'
import { parseDurationMs, parseRatePerSecond, parseSizeBytes } from './units.ts'

const EXAMPLES = `Devices that take pictures and publish them over MQTT, and a judge of what became of them.

Examples:
  npm run simulate -- --devices 100 --duration 60s
  npm run simulate -- --devices 10 --limit 50 --rate 1/s --verify
  npm run simulate -- --images ./photos --rate 0.5/s --json --out report.json

The images are JPEGs of about --size bytes with device, number and UTC time drawn in, no two alike.
Load is open loop: latency counts from the planned capture; what a device cannot send waits in it.
Exit codes: 0 ok, 64 usage, 69 broker or store not reachable, 99 --verify found images lost,
duplicated or corrupted, 130 interrupted.
`

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true' // no matter of the user's
process.exitCode = await main()

async function main (): Promise<number> {
  const command = createCommand()
  try {
    command.parse()
  } catch (exit) { // commander has written what there is to say
    return (exit as { exitCode?: number }).exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.once(name, () => stop.abort()) // the report is still printed; a second one ends the process
  }
  const print = (text: string): void => { process.stdout.write(`${text}\n`) }
  const tell = (line: string): void => { process.stderr.write(`${line}\n`) }
  try {
    return await runCommand(command.opts<Flags>(), { print, tell, env: process.env }, stop.signal)
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error
    tell(error.message)
    switch (error.code) {
      case 'USAGE': return EXIT.usage
      case 'UNAVAILABLE': return EXIT.unavailable
    }
  }
}

function createCommand (): Command {
  const command = new Command('simulate').exitOverride((exit) => { throw exit })
  command.helpOption('--help', 'show this').addHelpText('before', EXAMPLES)
  command.showHelpAfterError('(--help lists the options)')
  addLoad(command)
  addVerification(command)
  return command
    .option('--json', 'print the report as JSON')
    .option('--out <file>', 'write the report as JSON to a file as well')
    .option('--manifest <file>', 'write a JSON line for each PUBACKed image')
    .option('--quiet', 'no line a second on stderr')
    .addOption(new Option('--allow-remote', 'load targets beyond this machine')
      .default(DEFAULTS.allowRemote, 'no'))
}

function addLoad (command: Command): void {
  command
    .option('-h, --host <host>', 'MQTT broker', DEFAULTS.host)
    .option('-p, --port <port>', 'its port', whole, DEFAULTS.port)
    .option('-c, --devices <n>', 'how many devices', whole, DEFAULTS.devices)
    .addOption(new Option('--count <n>', 'the same as --devices').argParser(whole).hideHelp())
    .option('-d, --duration <time>', 'how long they take pictures (default: 60s)', duration)
    .option('-L, --limit <n>', 'stop after so many images; alone, there is no other end', whole)
    .addOption(new Option('--rate <rate>', 'images of each device')
      .argParser(rate).default(DEFAULTS.ratePerSecond, '2/min'))
    .addOption(new Option('-s, --size <size>', 'of an image').argParser(size).default(DEFAULTS.size, '250KB'))
    .option('--images <dir>', 'send the JPEG and PNG files of a directory, a comment added to each copy')
    .option('--prefix <text>', 'of the device ids', DEFAULTS.prefix)
    .option('--topic-prefix <topic>', 'of the topics', DEFAULTS.topicPrefix)
    .addOption(new Option('--ids', 'name each image in its topic').default(DEFAULTS.ids, 'yes'))
    .option('--no-ids', 'send images without names')
    .addOption(new Option('--format <format>', 'the payload: image bytes, or a JSON envelope')
      .choices(['raw', 'json']).default(DEFAULTS.format))
    .option('--inflight <n>', 'unacknowledged PUBLISHes of each device', whole, DEFAULTS.inflight)
    .option('--device-queue <n>', 'images that wait in each device; the oldest is dropped', whole,
      DEFAULTS.deviceQueue)
    .option('--seed <n>', 'of the scenes and of the plan of captures', whole, DEFAULTS.seed)
    .addOption(new Option('--ramp <rate>', 'connections opened at the start')
      .argParser(rate).default(DEFAULTS.rampPerSecond, '500/s'))
    .addOption(new Option('--drain-timeout <time>', 'how long to wait for the last PUBACKs')
      .argParser(duration).default(DEFAULTS.drainMs, '30s'))
}

function addVerification (command: Command): void {
  command
    .option('--verify', 'look for every PUBACKed image in the object store, by SHA-256')
    .addOption(new Option('--verify-timeout <time>', 'how long they may take to get there')
      .argParser(duration).default(300_000, '5m'))
    .option('--s3-file <file>', 'where the store is, as Sluice writes it (default: ./data/local-store.json)')
    .option('--s3-endpoint <url>', 'the object store (default: AWS_ENDPOINT_URL_S3)')
    .option('--s3-bucket <bucket>', 'its bucket')
    .option('--s3-region <region>', 'its region (default: AWS_REGION)')
    .option('--s3-access-key-id <id>', 'credentials (default: the standard AWS environment)')
    .option('--s3-secret-access-key <key>', 'credentials')
}

function whole (text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Wanted a whole number.')
  return Number(text)
}

function duration (text: string): number {
  return demand(parseDurationMs(text), 'a time such as 60s, 500ms or 5m')
}

function size (text: string): number {
  return demand(parseSizeBytes(text), 'a size such as 250KB or 1MiB')
}

function rate (text: string): number {
  return demand(parseRatePerSecond(text), 'a rate such as 2/min or 0.5/s')
}

function demand (value: number | undefined, what: string): number {
  if (value === undefined) throw new InvalidArgumentError(`Wanted ${what}.`)
  return value
}
