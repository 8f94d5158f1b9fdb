import { formatTime } from './limit-status.ts'

/** `filling`: the spool will be full. `late`: images of now will miss slo.target. */
export type WarningKind = 'filling' | 'late'
export const WARNING_KINDS: readonly WarningKind[] = ['filling', 'late']

/** Something that is to come, and that somebody can still do something about. Times are ms since epoch. */
export interface Warning {
  readonly kind: WarningKind
  readonly since: number
  /** Without its full stop. */
  readonly sentence: string
  /** `filling`: by when the spool is full. */
  readonly fullAt: number | undefined
}

/** Times are RFC 3339. */
export interface WarningStatus extends Omit<Warning, 'since' | 'fullAt'> {
  readonly since: string
  readonly fullAt: string | undefined
}

export function describeWarning ({ kind, since, sentence, fullAt }: Warning): WarningStatus {
  return { kind, since: new Date(since).toISOString(), sentence, fullAt: formatTime(fullAt) }
}
