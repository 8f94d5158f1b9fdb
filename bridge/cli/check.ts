// `sluice check`: would it start, is what it holds sound, and would images get away? Without --repair nothing is
// written, and nothing stays open.

import { once } from 'node:events'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { readAccess, readTlsKeys } from '../access-files.ts'
import { formatBytes } from '../amounts.ts'
import { formatAddress } from '../config/address.ts'
import type { Address, Config } from '../config/config.ts'
import { ConfigError, formatProblem } from '../config/problems.ts'
import { readConfig } from '../config/read-config.ts'
import type { Sources } from '../config/sources.ts'
import { Disk } from '../spool/disk.ts'
import { checkContents, repair } from './check-spool.ts'
import { addExamples } from './examples.ts'
import { EXIT, explainFailure } from './exit.ts'
import { bad, formatFindings, good, type Finding } from './finding.ts'
import { addSettings, readSources } from './flags.ts'
import { formatAs, type Options } from './output.ts'
import type { Finish, Shell } from './shell.ts'

const EXAMPLES = [
  'sluice check',
  'sluice check -c /etc/sluice/sluice.yaml --json',
  'sluice check --repair'
]

export function addCheck (program: Command, shell: Shell, finish: Finish): void {
  const command = program.command('check')
    .description('look before the start: configuration, directories, ports, store, and every byte of the spool')
  addSettings(addExamples(command, EXAMPLES))
    .option('--json', 'findings as JSON')
    .option('--repair', 'do with a damaged spool what a start would do, thoroughly, and say what was done')
    .action(async (options: Options) => {
      const sources = readSources(options, shell)
      const isRepair = options['repair'] === true
      const findings = isRepair ? await repair(readConfig(sources)) : await check(sources)
      shell.print(formatAs(options, findings, formatFindings))
      finish(findings.find(({ verdict }) => verdict === 'problem')?.code ?? EXIT.ok)
    })
}

async function check (sources: Sources): Promise<readonly Finding[]> {
  const config = tryConfig(sources)
  if (config instanceof ConfigError) {
    return config.problems.map((problem) => bad('configuration', formatProblem(problem), EXIT.config))
  }
  return [
    good('configuration', sources.file ?? 'no file: environment, flags and defaults'),
    await checkDirectory('spool', config.spool.dir),
    ...await checkContents(config),
    await checkRoom(config),
    ...config.s3.local ? [await checkDirectory('local store', config.localStore.dir)] : [],
    await checkPort('MQTT', config.mqtt.listen, config),
    ...config.mqtt.tls === undefined ? [] : [await checkPort('MQTT over TLS', config.mqtt.tls.listen, config)],
    await checkPort('HTTP', config.http.listen, config),
    ...config.s3.local ? [await checkPort('local store', config.localStore.listen, config)] : [await checkStore(config)]
  ]
}

function tryConfig (sources: Sources): Config | ConfigError {
  try {
    const config = readConfig(sources)
    readAccess(config.auth)
    if (config.mqtt.tls !== undefined) readTlsKeys(config.mqtt.tls)
    return config
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

/** A directory that is not there yet will be made in the nearest one that is. */
async function checkDirectory (what: string, directory: string): Promise<Finding> {
  const there = await nearest(directory)
  if (!(await stat(there)).isDirectory()) {
    return bad(what, `${there} is no directory; remove it, or set another one`, EXIT.notCreatable)
  }
  try {
    await access(there, constants.W_OK | constants.X_OK)
    return good(what, there === resolve(directory) ? `${directory} can be written` : `${directory} will be made`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // access rejects with nothing else
    const detail = `${there} cannot be written (${code}); give this user the right to, or set another directory`
    return bad(what, detail, EXIT.permission)
  }
}

async function checkRoom ({ spool: { dir, limit, reserve } }: Config): Promise<Finding> {
  const there = await nearest(dir)
  const { bavail, bsize } = await statfs(there)
  const free = bavail * bsize
  const limits = { limitBytes: limit, reserveBytes: reserve }
  const used = there === resolve(dir) ? (await Disk.open(dir, limits)).levels.usedBytes : 0
  const missing = limit + reserve - used - free
  if (missing <= 0) return good('room', `${formatBytes(free)} free for a spool of ${formatBytes(limit)}`)
  const detail = `${formatBytes(free)} free, ${formatBytes(missing)} less than spool.limit and spool.reserve want; ` +
    'lower spool.limit, or give the spool a larger disk'
  return { verdict: 'warning', what: 'room', detail, code: EXIT.ok }
}

async function checkPort (what: string, listen: Address, config: Config): Promise<Finding> {
  if (listen.port === 0) return good(what, `any free port on ${listen.host}`)
  const server = createServer()
  try {
    server.listen(listen.port, listen.host)
    await once(server, 'listening')
    return good(what, `${formatAddress(listen)} is free`)
  } catch (error) {
    const { code, message } = explainFailure(error, config)
    return bad(what, message, code)
  } finally {
    server.close()
  }
}

const PROBE_MS_MAX = 10_000

async function checkStore ({ s3 }: Config): Promise<Finding> {
  const { createS3Store } = await import('../objects/s3.ts')
  const { createAgents } = await import('../objects/paced-agent.ts')
  const { accessKeyId, secretAccessKey } = s3
  const isGiven = accessKeyId !== undefined && secretAccessKey !== undefined
  const store = createS3Store({
    ...s3,
    credentials: isGiven ? { accessKeyId, secretAccessKey } : undefined,
    partBytes: s3.partSize,
    timeoutMs: PROBE_MS_MAX,
    agents: createAgents({ pace: async () => {}, paceBytesMax: () => 65_536, maxSockets: 1 })
  })
  try {
    const outcome = await store.probe(AbortSignal.timeout(PROBE_MS_MAX))
    if (outcome.kind === 'available') return good('store', `${store.place} answers`)
    const code = outcome.reason === 'auth' ? EXIT.permission : EXIT.unavailable
    return bad('store', `${store.place}: ${outcome.detail}`, code)
  } finally {
    store.close()
  }
}

/** The directory itself, or the nearest above it that exists. */
async function nearest (directory: string): Promise<string> {
  const path = resolve(directory)
  try {
    await access(path)
    return path
  } catch {
    return path === dirname(path) ? path : await nearest(dirname(path))
  }
}
