// `sluice serve`: the service, from the first line to the last.

import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { formatImages } from '../amounts.ts'
import type { Bridge } from '../bridge.ts'
import type { Config } from '../config/config.ts'
import { resolveConfig, type Resolved } from '../config/read-config.ts'
import type { Sources } from '../config/sources.ts'
import { formatDuration } from '../config/units.ts'
import { addExamples } from './examples.ts'
import { CommandError, EXIT, explainFailure, type ExitCode } from './exit.ts'
import { addSettings, readSources } from './flags.ts'
import type { Options } from './output.ts'
import { createSwitchableLog, reload, type SwitchableLog } from './reload.ts'
import type { Finish, Shell } from './shell.ts'
import { formatWelcome } from './welcome.ts'

const EXAMPLES = [
  'sluice serve',
  'sluice serve -c /etc/sluice/sluice.yaml',
  'sluice serve --uplink-capacity 100Mbit --uplink-share 30%',
  'SLUICE_S3_ENDPOINT=https://s3.example.com SLUICE_S3_BUCKET=photos sluice serve'
]

export function addServe (program: Command, shell: Shell, finish: Finish): void {
  const command = program.command('serve').description('run the service until SIGTERM or SIGINT')
  addSettings(addExamples(command, EXAMPLES))
    .action(async (options: Options) => { finish(await serve(readSources(options, shell), shell)) })
}

async function serve (sources: Sources, shell: Shell): Promise<ExitCode> {
  const resolved = resolveConfig(sources)
  const { config } = resolved
  const log = createSwitchableLog(config.log)
  shell.onFault((error) => { log.error(explainFailure(error).message) })
  let bridge: Bridge | undefined
  const asked = listenForSignals({ sources, resolved, log, shell, bridge: () => bridge })
  try {
    const { startBridge } = await import('../bridge.ts')
    bridge = await startBridge(config, { log, version: shell.version })
    for (const line of formatWelcome(config, bridge)) shell.print(line)
    return await runUntil(asked, bridge, config, shell)
  } catch (error) {
    const { code, message } = explainFailure(error, config)
    log.error(message)
    if (config.log.level === 'debug' && error instanceof Error) shell.say(error.stack ?? error.message)
    return code
  } finally {
    log.close()
  }
}

/** A spool that cannot be written cannot be closed either. */
const CLOSE_MS_MAX = 5_000

/** Rejects where the service ends by a fault of its own. */
async function runUntil (asked: Promise<void>, bridge: Bridge, config: Config, shell: Shell): Promise<ExitCode> {
  await Promise.race([asked, bridge.stopped])
  const { graceMs } = config.shutdown
  const closed = await Promise.race([
    bridge.close(AbortSignal.timeout(graceMs)), delay(graceMs + CLOSE_MS_MAX, undefined, { ref: false })
  ])
  if (closed === undefined) {
    throw new CommandError(EXIT.io, 'the spool could not be written to the end (see above); every image acknowledged is ' +
      'on disk, and the next start finds it')
  }
  shell.print(formatFarewell(closed.waiting))
  return EXIT.ok
}

export function formatFarewell (waiting: number): string {
  if (waiting === 0) return 'no image stays behind: everything acknowledged is in the store'
  const verbs = waiting === 1 ? 'stays on disk and is' : 'stay on disk and are'
  return `${formatImages(waiting)} ${verbs} uploaded after the next start`
}

interface Signalled {
  readonly sources: Sources
  readonly resolved: Resolved
  readonly log: SwitchableLog
  readonly shell: Shell
  /** Undefined while it starts. */
  readonly bridge: () => Bridge | undefined
}

// On Ctrl-C under `npm start` the terminal tells the whole process group, and npm tells us once more
// (@npmcli/run-script, signal-manager.js). That is one request.
const ONE_REQUEST_MS = 1_000

/** Resolves at the first request to stop. The second does not wait: what is acknowledged is on disk anyway. */
function listenForSignals ({ sources, resolved, log, shell, bridge }: Signalled): Promise<void> {
  const grace = formatDuration(resolved.config.shutdown.graceMs)
  let askedAt: number | undefined
  let applied = resolved
  return new Promise((resolve) => {
    shell.onSignal((signal) => {
      switch (signal) {
        case 'SIGHUP':
          applied = reload(sources, applied, {
            running: resolved,
            log,
            configureUplink: bridge()?.configureUplink,
            configureAccess: bridge()?.configureAccess,
            configureTls: bridge()?.configureTls,
            observe: bridge()?.observe
          })
          break
        case 'SIGTERM':
        case 'SIGINT':
          if (askedAt === undefined) {
            askedAt = performance.now()
            log.info(`${signal}: running puts have ${grace} to end; a second signal ends at once`)
            resolve()
          } else if (performance.now() - askedAt > ONE_REQUEST_MS) {
            log.warn(`${signal} again: ending at once; every image acknowledged is on disk`)
            shell.exit(EXIT.notDrained)
          }
      }
    })
  })
}
