// `sluice store`: the local store alone, with its faults to be turned from outside. What a simulator, or
// whoever tries Sluice against a bad store, points it at.

import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Address } from '../config/config.ts'
import { parseAddress } from '../config/address.ts'
import { readOrCreateCredentials, startLocalStore, type Faults, type Knobs } from '../local-store/server.ts'
import { addExamples } from './examples.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import type { Options } from './output.ts'
import type { Finish, Shell } from './shell.ts'

const EXAMPLES = [
  'sluice store',
  'sluice store --listen 127.0.0.1:9000 --control 127.0.0.1:9001 --dir ./data/store',
  'curl -X PUT 127.0.0.1:9001/faults -d \'{"bytesPerSecond": 5000000, "latencyMs": 50}\'',
  'curl -X PUT 127.0.0.1:9001/faults -d \'{"outage": true}\''
]
const REGION = 'us-east-1'
const BODY_BYTES_MAX = 4_096

export function addStore (program: Command, shell: Shell, finish: Finish): void {
  const command = program.command('store')
    .description('the local store alone, with bandwidth, latency, errors and outages to be turned while it runs')
  addExamples(command, EXAMPLES)
    .option('--listen <address>', 'where S3 clients connect; port 0 takes a free one', '127.0.0.1:9000')
    .option('--control <address>', 'where GET and PUT /faults answer', '127.0.0.1:0')
    .option('--dir <dir>', 'where the objects and the access file lie', './data/store')
    .option('--bucket <name>', 'made at the start', 'images')
    .action(async (options: Options) => { finish(await serveStore(options, shell)) })
}

async function serveStore (options: Options, shell: Shell): Promise<ExitCode> {
  const [dir, bucket] = [resolve(String(options['dir'])), String(options['bucket'])]
  const stopped = new Promise<void>((resolve) => { shell.onSignal(() => { resolve() }) })
  const file = join(dir, 'local-store.json')
  const credentials = await readOrCreateCredentials(file)
  const store = await startLocalStore({
    listen: readAddress('listen', options),
    dir: join(dir, 'objects'),
    credentials,
    region: REGION,
    buckets: [bucket],
    onFault: (cause) => { shell.say(`store: ${cause.message}`) }
  })
  const control = await startControl(store.faults, readAddress('control', options))
  const access = { ...credentials, endpoint: store.endpoint, region: REGION, bucket, control: control.url }
  await writeFile(`${file}.new`, `${JSON.stringify(access, undefined, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  shell.print(`store        ${store.endpoint}, bucket ${bucket}, objects in ${join(dir, 'objects', bucket)}`)
  shell.print(`access       in ${file}`)
  shell.print(`control      ${control.url}/faults`)
  await stopped
  control.server.close()
  control.server.closeAllConnections()
  await store.close()
  return EXIT.ok
}

function readAddress (name: string, options: Options): Address {
  const address = parseAddress(String(options[name]))
  if (address !== undefined) return address
  throw new CommandError(EXIT.usage, `--${name}: wanted host:port such as 127.0.0.1:9000, got "${String(options[name])}"`)
}

async function startControl (
  faults: Faults, { host, port }: Address
): Promise<{ readonly server: Server, readonly url: string }> {
  let knobs: Partial<Knobs> = {}
  const turn = async (more: Partial<Knobs>): Promise<void> => {
    await faults.set(more)
    knobs = { ...knobs, ...more }
  }
  const server = createServer((request, response) => {
    void answer({ turn, read: () => ({ ...faults.counts(), knobs }) }, request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return { server, url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}` }
}

interface Answer {
  readonly status: number
  readonly body: object
}

interface Control {
  readonly turn: (knobs: Partial<Knobs>) => Promise<void>
  /** What was counted, and what was turned so far; JSON has null for an infinite rate. */
  readonly read: () => object
}

async function answer ({ turn, read }: Control, request: IncomingMessage): Promise<Answer> {
  if (request.url !== '/faults') return { status: 404, body: { error: 'there is only /faults' } }
  if (request.method === 'GET') return { status: 200, body: read() }
  if (request.method !== 'PUT') return { status: 405, body: { error: 'GET or PUT' } }
  const knobs = readKnobs(await readBody(request))
  if (typeof knobs === 'string') return { status: 400, body: { error: knobs } }
  await turn(knobs)
  return { status: 200, body: read() }
}

async function readBody (request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) if (text.length < BODY_BYTES_MAX) text += String(chunk)
  return text
}

/** The knobs of a JSON object; `bytesPerSecond: null` is no limit. A sentence where it is something else. */
function readKnobs (text: string): Partial<Knobs> | string {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return 'wanted a JSON object'
  }
  const knobs: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given ?? {})) {
    const isRate = name === 'bytesPerSecond' && (value === null || isAbove(value, 0))
    const isNumber = name === 'latencyMs' && (value === 0 || isAbove(value, 0))
    const isShare = name === 'errorRate' && (value === 0 || (isAbove(value, 0) && Number(value) <= 1))
    const isSwitch = (name === 'outage' || name === 'stall') && typeof value === 'boolean'
    if (!isRate && !isNumber && !isShare && !isSwitch) {
      return `${name}: wanted latencyMs or bytesPerSecond (numbers), errorRate (0 to 1), outage or stall (true, false)`
    }
    knobs[name] = value === null ? Infinity : value
  }
  return knobs
}

function isAbove (value: unknown, low: number): boolean {
  return typeof value === 'number' && value > low
}
