// The life of one image as the API tells it: what the index keeps, and what this process has seen.

import type { Entry, Failure, Held } from '../entry.ts'
import { formatTime } from '../limit-status.ts'
import type { Life, LifeEvent } from '../lives.ts'

/** Times are RFC 3339; what is not known is absent. */
export type LifeEventJson = { readonly at: string } & (
  | { readonly event: 'received', readonly bytes: number, readonly topic: string }
  /** On this disk, and so in our custody; `seconds` after it was here whole. */
  | { readonly event: 'synced', readonly seconds: number }
  | { readonly event: 'acknowledged', readonly by: 'mqtt' | 'http' }
  | AttemptJson
  /** `seconds` after it was received. */
  | {
    readonly event: 'uploaded'
    readonly seconds: number
    readonly bucket: string
    readonly key: string
    readonly etag: string
  }
  | { readonly event: 'failed', readonly reason: string, readonly detail: string, readonly attempts: number }
  | { readonly event: 'refused' | 'withheld', readonly reason: string, readonly detail: string }
  | { readonly event: 'repeat' | 'retried' | 'prioritized' | 'dropped' }
  /** Published on the device's acks topic. */
  | { readonly event: 'note', readonly status: string }
)

export interface AttemptJson {
  readonly event: 'attempt'
  /** From 1, since the start of the service or the last retry by an operator. */
  readonly attempt: number
  /** Absent while it is under way. */
  readonly outcome?: string | undefined
  readonly detail?: string | undefined
  readonly seconds?: number | undefined
  /** The image's own bytes that were given to the line; headers and TLS not counted. */
  readonly bodyBytesSent?: number | undefined
}

/** What is told of the past; what comes next is in next.ts. */
export interface PastJson {
  /** Oldest first. */
  readonly events: readonly LifeEventJson[]
  /** Of many events those in the middle are left out: so many. */
  readonly eventsLeftOut?: number
  /**
   * Why the beginning is not known, such as when it was synced and acknowledged, and what was tried: the service was
   * started after it came (`since`), or remembers others that came later.
   */
  readonly unknown?: { readonly why: 'restart' | 'forgotten', readonly since?: string }
}

/** `since`: from when on lives are seen, ms since epoch. */
export function formatPast (held: Held, life: Life | undefined, since: number): PastJson {
  const { entry } = held
  const seen = life?.sequence === undefined || life.sequence === entry.sequence ? life : undefined
  const told = [...fromIndex(held, seen), ...(seen?.events ?? []).map(formatEvent)]
  if (seen?.synced !== undefined) {
    const { at, seconds } = seen.synced
    told.push({ at: timeOf(at), event: 'synced', seconds })
  }
  return {
    events: told.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || rankOf(a) - rankOf(b)),
    ...seen !== undefined && seen.eventsLeftOut > 0 && { eventsLeftOut: seen.eventsLeftOut },
    ...seen?.synced === undefined && { unknown: unknownOf(entry, since) }
  }
}

/** The same of a name under which nothing is held. */
export function formatStranger (life: Life): LifeEventJson[] {
  return life.events.map(formatEvent)
}

function fromIndex (held: Held, life: Life | undefined): LifeEventJson[] {
  const { entry } = held
  const received: LifeEventJson =
    { at: timeOf(entry.receivedAt), event: 'received', bytes: entry.bytes, topic: entry.sourceTopic }
  switch (held.state) {
    case 'waiting':
    case 'dropped':
      return [received]
    case 'uploaded': {
      const { uploadedAt, bucket, key, etag } = held.upload
      const seconds = (uploadedAt - entry.receivedAt) / 1000
      return [received, { at: timeOf(uploadedAt), event: 'uploaded', seconds, bucket, key, etag }]
    }
    case 'failed':
      return [received, ...failureOf(held.failure, life)]
  }
}

/** What was seen of it is not told twice. */
function failureOf (failure: Failure, life: Life | undefined): LifeEventJson[] {
  const events = life?.events ?? []
  const hasFirst = events.some((one) => one.kind === 'attempt' && one.attempt === 1)
  const hasFailed = events.some((one) => one.kind === 'failed' && one.at === failure.failedAt)
  const { first } = failure
  const firstAttempt: LifeEventJson[] = first === undefined || hasFirst
    ? []
    : [{ at: timeOf(first.failedAt), event: 'attempt', attempt: 1, outcome: first.reason, detail: first.detail }]
  return hasFailed ? firstAttempt : [...firstAttempt, formatFailed(failure)]
}

function formatFailed ({ failedAt, reason, detail, attempts }: Failure): LifeEventJson {
  return { at: timeOf(failedAt), event: 'failed', reason, detail, attempts }
}

function formatEvent (one: LifeEvent): LifeEventJson {
  const at = timeOf(one.at)
  switch (one.kind) {
    case 'attempt': {
      const { attempt, outcome, detail, seconds, bodyBytesSent } = one
      return { at, event: 'attempt', attempt, outcome, detail: detail === '' ? undefined : detail, seconds, bodyBytesSent }
    }
    case 'acknowledged':
      return { at, event: 'acknowledged', by: one.by }
    case 'refused':
    case 'withheld':
      return { at, event: one.kind, reason: one.reason, detail: one.detail }
    case 'failed':
      return formatFailed(one.failure)
    case 'repeat':
    case 'retried':
    case 'prioritized':
    case 'dropped':
      return { at, event: one.kind }
    case 'note':
      return { at, event: 'note', status: one.status }
  }
}

function unknownOf ({ receivedAt }: Entry, since: number): NonNullable<PastJson['unknown']> {
  return receivedAt < since ? { why: 'restart', since: timeOf(since) } : { why: 'forgotten' }
}

/** Within one millisecond. */
function rankOf ({ event }: LifeEventJson): number {
  const order = ['received', 'synced', 'acknowledged', 'attempt', 'failed', 'uploaded']
  const at = order.indexOf(event)
  return at < 0 ? order.length : at
}

function timeOf (at: number): string {
  return formatTime(at) ?? ''
}
