// What the service says about itself, as arithmetic: facts in, one status out. The API, the page and
// the CLI show the same object.

import type { Ledger } from './entry.ts'
import { fullAfter } from './filling.ts'
import { ageOf, describeLanes, type Age, type LaneStatuses } from './lane-status.ts'
import { describeLimit, formatTime, type LimitStatus } from './limit-status.ts'
import type { UnavailableReason } from './objects/object-store.ts'
import { emptyAfter, sentAfter } from './plan/course.ts'
import { constantPace, rememberedPace, scaledPace, type PaceAt } from './plan/pace.ts'
import type { Flow, Pace } from './rates.ts'
import type { Sum } from './spool/accounts.ts'
import type { SpoolLevels } from './spool/spool.ts'
import type { LimitInForce } from './uplink/limits.ts'
import type { SchedulerOptions } from './uplink/scheduler.ts'
import type { UplinkLevels } from './uplink/uplink.ts'
import { accountedFor, judge, type Verdict } from './verdict.ts'
import { describeWarning, type Warning, type WarningStatus } from './warning-status.ts'

/** All that is known at one moment. Times are ms since epoch. */
export interface Facts {
  readonly now: number
  readonly startedAt: number
  readonly version: string
  /** For people: where images land. */
  readonly place: string
  readonly isStopping: boolean
  readonly ledger: Ledger
  /** `uploaded`: all that ever was. */
  readonly spool: SpoolLevels
  readonly uplink: UplinkLevels
  readonly limit: LimitInForce
  readonly flow: Flow
  /** On the wire to the store, since the start and lately. */
  readonly sentBytes: number
  readonly sentBytesPerSecond: number
  /** An image should be in the store within this time (slo.target). */
  readonly targetMs: number
  /** What may go out, and when: undefined where it is the same at all times. */
  readonly allowanceAt?: PaceAt | undefined
  /** How the lanes share the line, and the order within each; undefined: as it is by default. */
  readonly scheduling?: SchedulerOptions | undefined
  readonly warnings?: readonly Warning[]
  /** Images that failed under another configuration of the store, and may fare better under this one. */
  readonly failedUnderOtherStore?: number | undefined
}

export interface Forecast {
  /** 0 where nothing waits, undefined where the backlog does not shrink. */
  readonly emptyInSeconds: number | undefined
  /** 0 where it is full, undefined where it does not fill. */
  readonly fullInSeconds: number | undefined
  /** By when an image of now will be in the store, first in first out; undefined where nothing is to go out. */
  readonly newImageUpInSeconds: number | undefined
}

/** `GET /api/v1/status`. Times are RFC 3339, absent where there is nothing to say. */
export interface Status {
  readonly verdict: Verdict
  readonly accepting: boolean
  /** Disjoint, but for `refused`, which never came into custody; that one is counted since the start. */
  readonly images: {
    readonly waiting: Sum
    readonly uploading: Sum
    readonly retrying: Sum
    readonly failed: Sum
    readonly uploaded: Pick<Sum, 'count'> & Partial<Sum>
    readonly refused: { readonly count: number }
  }
  readonly backlog: Sum & Age & {
    /** Its parts: what an operator has put first, and the lanes. */
    readonly lanes: LaneStatuses
  }
  readonly rates: { readonly in: Pace, readonly out: Pace }
  readonly allowance: {
    /** Absent where there is no limit. */
    readonly bytesPerSecond: number | undefined
    /** What the line was seen to carry, where that is less. */
    readonly carriedBytesPerSecond: number | undefined
    readonly sentBytesPerSecond: number
    /** 0 to 1. */
    readonly used: number
  }
  /** The limit in force, and why. */
  readonly limit: LimitStatus
  readonly uplink: {
    readonly state: 'up' | 'down'
    readonly reason: UnavailableReason | undefined
    readonly detail: string | undefined
    readonly since: string | undefined
    readonly retryAt: string | undefined
    readonly lastStoredAt: string | undefined
    readonly concurrency: number
    readonly sentBytes: number
  }
  readonly forecast: Forecast
  readonly warnings: readonly WarningStatus[]
  readonly ledger: Ledger & { readonly exact: boolean }
  readonly duplicates: number
  readonly failedUnderOtherStore: number
  readonly spool: Pick<SpoolLevels, 'usedBytes' | 'limitBytes' | 'diskFreeBytes' | 'diskSizeBytes'>
  readonly store: { readonly place: string }
  readonly version: string
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly at: string
}

export function describeStatus (facts: Facts): Status {
  const { now, spool, uplink, limit, flow, ledger } = facts
  const [uploading, retrying] = uploadingAndRetrying(uplink)
  const outAt = outgoing(facts)
  const forecast = foresee(facts, outAt)
  return {
    verdict: judge(facts, forecast),
    accepting: !facts.isStopping && spool.paused === undefined,
    images: {
      waiting: minus(spool.waiting, uploading, retrying),
      uploading,
      retrying,
      failed: spool.failed,
      uploaded: spool.uploaded ?? { count: ledger.uploaded },
      refused: { count: flow.refused }
    },
    backlog: {
      ...spool.waiting,
      ...ageOf(spool, now),
      lanes: describeLanes(facts, outAt)
    },
    rates: { in: flow.in, out: flow.out },
    allowance: {
      bytesPerSecond: limit.bytesPerSecond === Infinity ? undefined : limit.bytesPerSecond,
      carriedBytesPerSecond: uplink.carriedBytesPerSecond,
      sentBytesPerSecond: facts.sentBytesPerSecond,
      used: limit.bytesPerSecond > 0 ? facts.sentBytesPerSecond / limit.bytesPerSecond : 0
    },
    limit: describeLimit(limit),
    uplink: describeUplink(uplink, facts.sentBytes),
    forecast,
    warnings: (facts.warnings ?? []).map(describeWarning),
    ledger: { ...ledger, exact: ledger.acknowledged === accountedFor(ledger) },
    duplicates: flow.duplicates,
    failedUnderOtherStore: facts.failedUnderOtherStore ?? 0,
    spool: {
      usedBytes: spool.usedBytes,
      limitBytes: spool.limitBytes,
      diskFreeBytes: spool.diskFreeBytes,
      diskSizeBytes: spool.diskSizeBytes
    },
    store: { place: facts.place },
    version: facts.version,
    startedAt: new Date(facts.startedAt).toISOString(),
    uptimeSeconds: Math.round((now - facts.startedAt) / 1000),
    at: new Date(now).toISOString()
  }
}

/** Before this much has been measured, the allowance is the better guess at what can go out. */
const BUSY_SECONDS_MIN = 5

export function foresee (facts: Facts, outAt = outgoing(facts)): Forecast {
  const { now, spool, flow } = facts
  const { count, bytes } = spool.waiting
  const start = { at: now, backlogBytes: bytes, inAt: constantPace(flow.in.bytesPerSecond), outAt }
  const isFull = spool.paused?.reason === 'spool_full' || spool.paused?.reason === 'disk_low'
  return {
    emptyInSeconds: count === 0 ? 0 : emptyAfter(start),
    fullInSeconds: isFull ? 0 : fullAfter(spool, start),
    newImageUpInSeconds: sentAfter(bytes + imageBytes(flow), now, outAt)
  }
}

/** What goes out as long as something waits. A minute that was half idle would make half of it. */
export function outgoing (facts: Facts): PaceAt {
  const { now, uplink, limit, flow: { busy }, allowanceAt } = facts
  const isPaused = limit.paused !== undefined && allowanceAt === undefined
  if (uplink.state.kind === 'down' || isPaused) return constantPace(0)
  const isKnown = busy.seconds >= BUSY_SECONDS_MIN
  const allowed = allowanceAt?.(now).bytesPerSecond ?? limit.bytesPerSecond
  if (allowanceAt === undefined || allowed === Infinity) {
    return constantPace(isKnown || allowed === Infinity ? busyPace(facts) : allowed)
  }
  // What the line makes of the allowance now, it makes of any other.
  return rememberedPace(
    isKnown && allowed > 0 ? scaledPace(allowanceAt, Math.min(1, busyPace(facts) / allowed)) : allowanceAt)
}

/** What was stored while puts ran, and what of those under way has gone, or one large image would look like none. */
function busyPace ({ flow: { busy }, uplink: { uploadingBytes }, sentBytesPerSecond }: Facts): number {
  if (busy.seconds === 0) return busy.bytesPerSecond
  const most = busy.bytesPerSecond + uploadingBytes / busy.seconds
  return Math.max(busy.bytesPerSecond, Math.min(sentBytesPerSecond, most))
}

/** Of those that come in lately; a byte where none does, so that a line that is off is waited for all the same. */
function imageBytes ({ in: { imagesPerSecond, bytesPerSecond } }: Flow): number {
  return imagesPerSecond > 0 ? bytesPerSecond / imagesPerSecond : 1
}

function describeUplink ({ state, lastStoredAt, concurrency }: UplinkLevels, sentBytes: number): Status['uplink'] {
  const down = state.kind === 'down' ? state : undefined
  return {
    state: state.kind,
    reason: down?.reason,
    detail: down?.detail,
    since: formatTime(down?.since),
    retryAt: formatTime(down?.retryAt),
    lastStoredAt: formatTime(lastStoredAt),
    concurrency,
    sentBytes
  }
}

function uploadingAndRetrying (uplink: UplinkLevels): readonly [Sum, Sum] {
  return [
    { count: uplink.uploading.size, bytes: uplink.uploadingBytes },
    { count: uplink.retrying.size, bytes: uplink.retryingBytes }
  ]
}

// Read one after the other from their owners: what has just left one may not have reached the other.
function minus (whole: Sum, ...parts: readonly Sum[]): Sum {
  return {
    count: Math.max(0, parts.reduce((left, part) => left - part.count, whole.count)),
    bytes: Math.max(0, parts.reduce((left, part) => left - part.bytes, whole.bytes))
  }
}
