// The one place that knows pino. Lines go to stderr: stdout is for what was asked for.

import { pino, stdTimeFunctions, type Logger } from 'pino'
import { prettyFactory } from 'pino-pretty'
import type { BridgeEvent, Observe } from './events.ts'
import { describe, fieldsOf, levelOf, type Level } from './log-lines.ts'

export interface LogOptions {
  readonly level: Level
  /** `auto`: text on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'text'
  /** Default: stderr. */
  readonly destination?: LogDestination
}

export interface LogDestination {
  readonly isTTY?: boolean
  write (line: string): unknown
}

type Kind = BridgeEvent['kind']
type Fields = Readonly<Record<string, unknown>>

export interface Log {
  /** One line an event, where the level lets it; what repeats is folded. Never throws. */
  readonly observe: Observe
  info (text: string, fields?: Fields): void
  warn (text: string, fields?: Fields): void
  error (text: string, fields?: Fields): void
  /** Says what is still folded. The destination stays open. */
  close (): void
}

export function createLog ({ level, format, destination = process.stderr }: LogOptions): Log {
  const isText = format === 'text' || (format === 'auto' && destination.isTTY === true)
  const logger = pino({
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) }
  }, isText ? asText(destination) : destination)
  const repeats = new Repeats((kind, left) => {
    write(logger, levelOf(kind), `${left} more lines about ${kind} left out in this second`, { event: kind, left })
  })

  return {
    observe (event) {
      const level = levelOf(event.kind)
      if (!logger.isLevelEnabled(level) || repeats.fold(event.kind)) return
      write(logger, level, describe(event), fieldsOf(event))
    },
    info (text, fields) { write(logger, 'info', text, fields) },
    warn (text, fields) { write(logger, 'warn', text, fields) },
    error (text, fields) { write(logger, 'error', text, fields) },
    close () { repeats.close() }
  }
}

/** Lines of one kind of event that are written within a second; more are counted and told of in one. */
const LINES_MAX = 5
const WINDOW_MS = 1000

/** Whatever devices do, the log grows by a few lines a second: the number of kinds is fixed. */
class Repeats {
  readonly #windows = new Map<Kind, { lines: number, timer: NodeJS.Timeout }>()
  readonly #tell: (kind: Kind, left: number) => void

  constructor (tell: (kind: Kind, left: number) => void) {
    this.#tell = tell
  }

  /** True if the line is to be left out, having been counted. */
  fold (kind: Kind): boolean {
    const window = this.#windows.get(kind)
    if (window !== undefined) return ++window.lines > LINES_MAX
    this.#windows.set(kind, { lines: 1, timer: setTimeout(() => { this.#end(kind) }, WINDOW_MS).unref() })
    return false
  }

  close (): void {
    for (const kind of [...this.#windows.keys()]) this.#end(kind)
  }

  #end (kind: Kind): void {
    const window = this.#windows.get(kind)
    this.#windows.delete(kind)
    clearTimeout(window?.timer)
    if (window !== undefined && window.lines > LINES_MAX) this.#tell(kind, window.lines - LINES_MAX)
  }
}

// In this thread and at once, not through pino's transports: the last line before an exit is the one
// that says why.
function asText (destination: LogDestination): LogDestination {
  const pretty = prettyFactory({
    colorize: destination.isTTY === true,
    hideObject: true, // the sentence says it all
    translateTime: destination.isTTY === true ? 'SYS:HH:MM:ss' : 'SYS:yyyy-mm-dd HH:MM:ss'
  })
  return { write: (line) => destination.write(pretty(line)) }
}

function write (logger: Logger, level: Level, text: string, fields: Fields = {}): void {
  const shown = Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? clean(value) : value])
  logger[level](Object.fromEntries(shown), clean(text))
}

const LENGTH_MAX = 1000

/**
 * Topics, client ids and messages of strangers stand in lines: a line break would forge a second line,
 * an escape sequence would rule the terminal, a direction mark would turn the sentence around.
 */
function clean (text: string): string {
  const short = text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}...` : text
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (char) =>
    `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
