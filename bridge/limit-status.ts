// The limit of the uplink as the API, the page and the CLI show it.

import { formatLine } from './amounts.ts'
import type { LimitAt, LimitInForce, LimitSource, PausedBy } from './uplink/limits.ts'

/** Times are RFC 3339, absent where there is nothing to say. */
export interface LimitTerms {
  /** On the wire to the store; 0 while no upload may begin, absent where nothing limits. */
  readonly bytesPerSecond: number | undefined
  readonly source: LimitSource
  readonly paused: PausedBy | undefined
  /** As the operator said it. */
  readonly reason: string | undefined
  /** Absent: until somebody changes it. */
  readonly until: string | undefined
}

export interface LimitStatus extends LimitTerms {
  /** Absent where it held already when the service started. */
  readonly since: string | undefined
  /** What holds from `until` on. */
  readonly next: LimitTerms | undefined
}

export function describeLimit ({ since, next, ...limit }: LimitInForce): LimitStatus {
  const then = next === undefined ? undefined : describeTerms(next)
  return { ...describeTerms(limit), since: formatTime(since), next: then }
}

function describeTerms ({ bytesPerSecond, source, paused, reason, until }: LimitAt): LimitTerms {
  const limit = bytesPerSecond === Infinity ? undefined : bytesPerSecond // JSON has no such number
  return { bytesPerSecond: limit, source, paused, reason, until: formatTime(until) }
}

export function formatTime (at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}

const SOURCES: { readonly [source in LimitSource]: string } = {
  override: 'set by an operator', timetable: 'by the timetable', share: 'the usual share'
}
const PAUSES: { readonly [by in PausedBy]: string } = {
  operator: 'paused by an operator', schedule: 'off by the timetable'
}

/**
 * `set by an operator (backup), until 14:00, then 38 Mbit/s`; nothing where it is the usual share at all times.
 * `end` is how `until` is said.
 */
export function formatLimit (
  { source, paused, reason, until, next }: LimitStatus, end: (until: string) => string
): string {
  if (source === 'share' && until === undefined) return ''
  const why = `${paused === undefined ? SOURCES[source] : PAUSES[paused]}${reason === undefined ? '' : ` (${reason})`}`
  if (until === undefined) return source === 'override' ? `${why}, until somebody changes it` : why
  const then = next === undefined
    ? ''
    : next.bytesPerSecond === 0 ? ', then none' : `, then ${formatLine(next.bytesPerSecond ?? Infinity)}`
  return `${why}, ${end(until)}${then}`
}
