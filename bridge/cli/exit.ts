// How a command ends, in sysexits' numbers, and the sentence that goes with it. Faults that the
// operator can cure are told apart here; everything else is 70.

import { formatAddress } from '../config/address.ts'
import { settingAt } from '../config/catalogue.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/problems.ts'
import { SpoolOpenError, type SpoolOpenCode } from '../spool/errors.ts'

export const EXIT = {
  ok: 0,
  usage: 64,
  /** A service or a port that is needed. */
  unavailable: 69,
  internal: 70,
  /** The spool cannot be created. */
  notCreatable: 73,
  /** The spool cannot be read or written. */
  io: 74,
  /** Ended before it was done; every image in custody is safe on disk. Also after a second signal. */
  notDrained: 75,
  permission: 77,
  config: 78,
  /** What was to be shown does not hold, as with the simulator. */
  notHeld: 99,
  /** Stopped by its user, as a shell counts SIGINT. */
  interrupted: 130
} as const

export type ExitCode = typeof EXIT[keyof typeof EXIT]

export interface Failure {
  readonly code: ExitCode
  readonly message: string
}

/** An end that a command has words for. */
export class CommandError extends Error {
  readonly code: ExitCode

  constructor (code: ExitCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.code = code
  }
}

// A newer format is no fault of the disk: what is installed does not fit the data, and a restart cannot
// change that, so it counts as configuration (systemd: RestartPreventExitStatus=64 73 77 78).
const SPOOL_CODES: Readonly<Record<SpoolOpenCode, ExitCode>> = {
  not_creatable: EXIT.notCreatable,
  not_writable: EXIT.permission,
  newer_format: EXIT.config,
  unreadable_format: EXIT.config,
  in_use: EXIT.unavailable,
  io: EXIT.io
}

/** One sentence and a code, never a stack. With the configuration, a listener is called by its setting. */
export function explainFailure (error: unknown, config?: Config): Failure {
  if (error instanceof CommandError) return { code: error.code, message: error.message }
  if (error instanceof ConfigError) return { code: EXIT.config, message: error.message }
  if (error instanceof SpoolOpenError) return { code: SPOOL_CODES[error.code], message: error.message }
  if (isLevelError(error)) {
    const message = `the spool's disk failed: ${error.message}; every image acknowledged is on it, and a start finds it`
    return { code: EXIT.io, message }
  }
  const system = readSystemError(error)
  const known = system === undefined ? undefined : explainListen(system, config) ?? explainFile(system)
  if (known !== undefined) return known
  return { code: EXIT.internal, message: `internal error: ${error instanceof Error ? error.message : String(error)}` }
}

/** Of the database in the spool (classic-level, "Errors"). */
function isLevelError (error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^LEVEL_(IO_ERROR|CORRUPTION|DATABASE_NOT_OPEN)$/.test(String(error.code))
}

/** An error of the system (node:errors, "Class: SystemError"). */
interface SystemError {
  readonly code: string
  readonly syscall: string
  readonly address: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
}

function readSystemError (error: unknown): SystemError | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  const { code, syscall, address, port, path } = error as Error & Record<string, unknown>
  if (typeof code !== 'string' || typeof syscall !== 'string') return undefined
  return {
    code,
    syscall,
    address: typeof address === 'string' ? address : undefined,
    port: typeof port === 'number' ? port : undefined,
    path: typeof path === 'string' ? path : undefined
  }
}

function explainListen (error: SystemError, config: Config | undefined): Failure | undefined {
  const { code, syscall, address = '', port = 0 } = error
  const { unavailable, permission } = EXIT
  if (syscall === 'getaddrinfo') {
    return { code: unavailable, message: `the host of a listener has no address (${code}); write an IP address` }
  }
  if (syscall !== 'listen' && syscall !== 'bind') return undefined
  const place = formatAddress({ host: address, port })
  const cure = `choose another${namesOf(listenerAt(port, config))}`
  switch (code) {
    case 'EADDRINUSE':
      return { code: unavailable, message: `${place} is in use by another program; stop it, or ${cure}` }
    case 'EADDRNOTAVAIL':
      return { code: unavailable, message: `${place} is no address of this machine; ${cure}` }
    case 'EACCES': // ports below 1024 are the usual reason
      return { code: permission, message: `this user may not listen on ${place}; ${cure}` }
    default:
      return { code: unavailable, message: `cannot listen on ${place} (${code}); ${cure}` }
  }
}

function listenerAt (port: number, config: Config | undefined): string | undefined {
  if (config === undefined) return undefined
  const { mqtt, http, localStore } = config
  const tls = mqtt.tls === undefined ? {} : { 'mqtt.tls.listen': mqtt.tls.listen }
  const listeners = { 'mqtt.listen': mqtt.listen, ...tls, 'http.listen': http.listen, 'localStore.listen': localStore.listen }
  return Object.entries(listeners).find(([, listen]) => listen.port === port)?.[0]
}

function namesOf (path: string | undefined): string {
  const setting = path === undefined ? undefined : settingAt(path)
  return setting === undefined ? '' : ` for ${path} (--${setting.flag} or ${setting.variable})`
}

function explainFile ({ code, path = 'a file', syscall }: SystemError): Failure | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return { code: EXIT.permission, message: `${path} cannot be used (${code}); give this user the right to, or set dataDir` }
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: EXIT.io, message: `there is no room for ${path} (${code}); free some, or set dataDir to a larger disk` }
    case 'EIO':
      return { code: EXIT.io, message: `the disk failed at ${path} (${syscall}: ${code}); look at the kernel's log` }
    case 'ENOTDIR':
    case 'EEXIST':
      return { code: EXIT.notCreatable, message: `${path} cannot be made (${code}); a file is in the way of a directory` }
    default:
      return undefined
  }
}
