import type { SimulatorError } from '../errors.ts'

/** sysexits.h; 99 is what load tools say when a threshold did not hold, 130 what shells say of SIGINT. */
export const EXIT = { ok: 0, usage: 64, unavailable: 69, fault: 70, config: 78, notHeld: 99, interrupted: 130 } as const

export type ExitCode = typeof EXIT[keyof typeof EXIT]

export function exitCodeOf ({ code }: Pick<SimulatorError, 'code'>): ExitCode {
  switch (code) {
    case 'USAGE': return EXIT.usage
    case 'CONFIG': return EXIT.config
    case 'UNAVAILABLE': return EXIT.unavailable
    case 'FAULT': return EXIT.fault
  }
}

/** What a command sees of the process it runs in. main.ts hands in the real one. */
export interface Shell {
  /** What was asked for, on standard output. */
  readonly print: (text: string) => void
  /** About it, on standard error. */
  readonly tell: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined where there is no terminal to draw on. */
  readonly terminal: Terminal | undefined
}

export interface Terminal {
  /** Puts these lines in place of those drawn before. */
  draw (lines: readonly string[]): void
  /** Calls back on each key, until the return value is called. */
  onKey (listener: (key: string) => void): () => void
}
