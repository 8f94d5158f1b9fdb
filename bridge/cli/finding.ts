import type { SpoolReport } from '../spool/inspect.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { formatTable } from './table.ts'

/** `warning` would start; `problem` would not, or no image would get away, or one that was acknowledged is damaged. */
export interface Finding {
  readonly verdict: 'ok' | 'warning' | 'problem'
  readonly what: string
  readonly detail: string
  readonly code: ExitCode
  /** All that was found in the spool, for a machine. */
  readonly spool?: SpoolReport
}

export function good (what: string, detail: string): Finding {
  return { verdict: 'ok', what, detail, code: EXIT.ok }
}

export function warn (what: string, detail: string): Finding {
  return { verdict: 'warning', what, detail, code: EXIT.ok }
}

export function bad (what: string, detail: string, code: ExitCode): Finding {
  return { verdict: 'problem', what, detail, code }
}

export function formatFindings (findings: readonly Finding[]): string {
  const problems = findings.filter(({ verdict }) => verdict === 'problem').length
  const sum = problems === 0 ? 'ready to start' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`
  return `${formatTable(findings.map(({ verdict, what, detail }) => [verdict, what, detail]))}\n${sum}`
}
