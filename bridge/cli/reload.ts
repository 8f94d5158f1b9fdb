import type { Access } from '../../broker/identities.ts'
import type { TlsKeys } from '../../broker/tls-listener.ts'
import { readAccess, readTlsKeys } from '../access-files.ts'
import type { Config } from '../config/config.ts'
import { changedSettings, resolveConfig, type Resolved } from '../config/read-config.ts'
import { ConfigError, formatProblem } from '../config/problems.ts'
import type { Sources } from '../config/sources.ts'
import type { Observe } from '../events.ts'
import { createLog, type Log, type LogOptions } from '../log.ts'

type Level = LogOptions['level']

export interface SwitchableLog extends Log {
  readonly level: Level
  switchTo (level: Level): void
}

/** A log whose level can change while others hold it. */
export function createSwitchableLog (options: LogOptions): SwitchableLog {
  let level = options.level
  let log = createLog(options)
  return {
    get level () { return level },
    observe: (event) => { log.observe(event) },
    info: (text, fields) => { log.info(text, fields) },
    warn: (text, fields) => { log.warn(text, fields) },
    error: (text, fields) => { log.error(text, fields) },
    close: () => { log.close() },
    switchTo (next) {
      log.close()
      level = next
      log = createLog({ ...options, level })
    }
  }
}

/** What of the uplink a running service takes over. */
const UPLINK = [
  'capacity', 'share', 'overhead', 'schedule', 'timeZone', 'concurrency', 'order', 'lanes', 'laneRules', 'retryShare'
].map((name) => `uplink.${name}`)

const ROLES = ['auth.operators', 'auth.viewers']

export interface Reloaded {
  /** As the service was started. */
  readonly running: Resolved
  readonly log: SwitchableLog
  /** Undefined while the service starts. */
  readonly configureUplink: ((uplink: Config['uplink']) => void) | undefined
  readonly configureAccess?: ((access: Access) => number) | undefined
  readonly configureTls?: ((keys: TlsKeys) => number) | undefined
  /** Where it is counted; else it is only logged. */
  readonly observe?: Observe | undefined
}

/**
 * SIGHUP: reads everything again, applies what can change in a running service (the log's level, the uplink but for
 * its time-out, and what stands in the files of names and rules), and names what differs from `running` and waits for
 * a restart. A problem anywhere changes nothing.
 * Returns what holds of the uplink; `before` is what held so far.
 */
export function reload (sources: Sources, before: Resolved, reloaded: Reloaded): Resolved {
  const { running, log, configureUplink } = reloaded
  const observe = reloaded.observe ?? log.observe
  const tell = (applied: boolean, detail: string): void => { observe({ kind: 'config-reloaded', applied, detail }) }
  try {
    const read = resolveConfig(sources)
    const { auth, mqtt } = running.config
    const tls = mqtt.tls ?? mqtt.ws.tls
    const { operators, viewers } = read.config.auth
    const access = readAccess({ ...auth, operators, viewers })
    const keys = tls === undefined ? undefined : readTlsKeys(tls)
    const { log: { level }, uplink } = read.config
    if (level !== log.level) {
      log.switchTo(level)
      log.info(`configuration read again: log.level is ${level} from now on`)
    }
    const { secretFile, publicKeyFile, jwksFile, revokedFile } = auth.jwt
    const files = [auth.passwordFile, auth.aclFile, secretFile, publicKeyFile, jwksFile, revokedFile]
      .filter((file) => file !== undefined)
    if (files.length > 0 && reloaded.configureAccess !== undefined) {
      const ended = reloaded.configureAccess(access)
      log.info(`read again: ${files.join(', ')}; ${ended} ${ended === 1 ? 'session' : 'sessions'} ended by what changed`)
    }
    if (keys !== undefined && reloaded.configureTls !== undefined) {
      const ended = reloaded.configureTls(keys)
      const revoked = keys.crl === undefined ? '' : `, but for ${ended} whose certificate was revoked`
      log.info(`read again: the certificates of mqtt.tls; connections that are there go on${revoked}`)
    }
    const live = configureUplink === undefined ? [] : [...UPLINK, ...ROLES]
    const applied = changedSettings(before, read).filter((path) => live.includes(path))
    if (applied.length > 0) {
      configureUplink?.(uplink)
      log.info(`configuration read again: ${applied.join(', ')} ${applied.length === 1 ? 'holds' : 'hold'} from now on`)
    }
    const later = changedSettings(running, read).filter((path) => path !== 'log.level' && !live.includes(path))
    if (later.length === 0) tell(true, 'configuration read again: nothing waits for a restart')
    else {
      log.warn(`configuration read again: restart to apply ${later.join(', ')}`)
      tell(true, 'configuration read again: what can change in a running service holds from now on')
    }
    return configureUplink === undefined ? before : read
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    tell(false, 'configuration read again with a problem: what held before still holds')
    for (const problem of error.problems) log.error(`configuration not applied: ${formatProblem(problem)}`)
    return before
  }
}
