import type { ExitCode } from './exit.ts'

/** What a command sees of the process it runs in. main.ts hands in the real one. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly isTerminal: boolean
  /** A line of what was asked for, on stdout. */
  print (line: string): void
  /** A line about it, on stderr. */
  say (line: string): void
  /** From now on these signals do nothing but call back. */
  onSignal (listener: (signal: Signal) => void): void
  /** Who tells of a fault that nobody caught, before the process ends with the code that goes with it. */
  onFault (report: (error: unknown) => void): void
  /** Ends the process at once, whatever is still running. */
  exit (code: ExitCode): never
}

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** A command says how it ended. */
export type Finish = (code: ExitCode) => void
