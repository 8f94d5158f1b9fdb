import { changedSettings, resolveConfig, type Resolved } from '../config/read-config.ts'
import { ConfigError, formatProblem } from '../config/problems.ts'
import type { Sources } from '../config/sources.ts'
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

/**
 * SIGHUP: reads everything again, applies what can change in a running service (the log's level), and
 * names what differs from `running` and waits for a restart. A problem anywhere changes nothing.
 */
export function reload (sources: Sources, running: Resolved, log: SwitchableLog): void {
  try {
    const read = resolveConfig(sources)
    const { level } = read.config.log
    const later = changedSettings(running, read).filter((path) => path !== 'log.level')
    if (level !== log.level) {
      log.switchTo(level)
      log.info(`configuration read again: log.level is ${level} from now on`)
    }
    if (later.length === 0) log.info('configuration read again: nothing waits for a restart')
    else log.warn(`configuration read again: restart to apply ${later.join(', ')}`)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) log.error(`configuration not applied: ${formatProblem(problem)}`)
  }
}
