// What an operator sees of the uplink's limit, and does to it.

import { formatCapacity, formatRate, formatShare, parseDuration, parseRate, parseShare } from '../config/units.ts'
import { describeLimit, formatTime, type LimitStatus } from '../limit-status.ts'
import type { Amount, Pause } from '../uplink/limits-file.ts'
import type { Terms } from '../uplink/limits.ts'
import type { HttpDeps, HttpLimits } from './deps.ts'
import type { Exchange, Handler } from './exchange.ts'
import { readJsonBody } from './json-body.ts'
import { problem } from './problem.ts'
import { json, type Reply } from './reply.ts'

/** `GET /api/v1/uplink`, and the answer to every change. Times are RFC 3339, absent where there is nothing to say. */
export interface UplinkJson {
  readonly limit: LimitStatus
  /** What operators ordered, whether it is in force or behind a pause; absent where they did not. */
  readonly override: (OrderJson & { readonly rate?: string, readonly share?: string }) | undefined
  readonly pause: OrderJson | undefined
  /** Of the whole line, like 200Mbit or unlimited. */
  readonly capacity: string
  /** Of what is ordered or shared, taken off for TCP and IP. */
  readonly overhead: string
  readonly timeZone: string
  /** What an operator should know of a change that was made. */
  readonly warning: string | undefined
}

interface OrderJson {
  readonly since: string | undefined
  readonly until: string | undefined
  readonly reason: string | undefined
}

export interface UplinkHandlers {
  readonly show: Handler
  readonly limit: Handler
  readonly pause: Handler
  readonly resume: Handler
}

type Fields = Readonly<Record<string, unknown>>

/** The same as of a line's capacity: below it a request takes longer than a store waits for it. */
const RATE_MIN = 8_000
const FOR_MS = { min: 1_000, max: 366 * 86_400_000 }
const REASON_MAX = 200
const NOT_KEPT = 'It holds now, but could not be written down: a restart forgets it. See the log.'

export function createUplinkHandlers (
  { limits }: Pick<HttpDeps, 'limits'>, httpLimits: HttpLimits
): UplinkHandlers {
  const describe = (warning?: string): Reply => json(200, describeUplink(limits, warning))

  /** Trust first, then the body, then what it orders; the answer shows what holds now. */
  const order = (names: readonly string[], carryOut: (fields: Fields) => Promise<boolean> | string): Handler =>
    async (exchange: Exchange) => {
      const body = await readJsonBody(exchange, names, httpLimits)
      if (body.kind === 'reply') return body.reply
      const done = carryOut(body.fields)
      if (typeof done === 'string') return problem('bad_limit', done)
      return describe(await done ? undefined : NOT_KEPT)
    }

  return {
    show: () => describe(),
    limit: order(['rate', 'share', 'for', 'reason'], (fields) => {
      const amount = readAmount(fields, limits.capacity)
      const terms = readTerms(fields)
      if (typeof amount === 'string') return amount
      if (typeof terms === 'string') return terms
      return limits.set(amount, terms)
    }),
    pause: order(['for', 'reason'], (fields) => {
      const terms = readTerms(fields)
      return typeof terms === 'string' ? terms : limits.pause(terms)
    }),
    resume: order([], () => limits.resume())
  }
}

function describeUplink (
  { inForce, orders, capacity, overhead, timeZone }: HttpDeps['limits'], warning: string | undefined
): UplinkJson {
  const { override, pause } = orders
  return {
    limit: describeLimit(inForce),
    override: override === undefined ? undefined : { ...describeAmount(override.amount), ...describeOrder(override) },
    pause: pause === undefined ? undefined : describeOrder(pause),
    capacity: formatCapacity(capacity),
    overhead: formatShare(overhead),
    timeZone,
    warning
  }
}

function describeOrder ({ since, until, reason }: Pause): OrderJson {
  return { since: formatTime(since), until: formatTime(until), reason }
}

function describeAmount (amount: Amount): { rate: string } | { share: string } {
  switch (amount.kind) {
    case 'rate': return { rate: formatRate(amount.rate) }
    case 'share': return { share: formatShare(amount.share) }
  }
}

/** Undefined puts the limit back; a sentence where it is none. */
function readAmount ({ rate, share }: Fields, capacity: number): Amount | undefined | string {
  if (rate !== undefined && share !== undefined) return 'there is a rate and a share; send one of them'
  if (rate === null || share === null) return undefined
  if (rate === undefined && share === undefined) return 'there is no rate and no share; send one, or null to put the limit back'
  const amount = rate === undefined ? readShare(share) : readRate(rate)
  if (typeof amount === 'string') return amount
  if (amount.kind === 'share' && capacity === Infinity) return 'a share of a line without limit is no limit; write a rate like 6Mbit'
  const bits = amount.kind === 'rate' ? amount.rate : amount.share * capacity
  const shown = formatRate(Math.round(bits))
  if (bits > capacity) return `${shown} is more than the line carries; uplink.capacity is ${formatRate(capacity)}`
  if (bits < RATE_MIN) return `${shown} is too little to send an image with; write ${formatRate(RATE_MIN)} or more, or pause`
  return amount
}

function readRate (given: unknown): Amount | string {
  const rate = typeof given === 'string' ? parseRate(given.trim()) : undefined
  return rate === undefined ? `${quote(given)} is not a rate in bits per second; write it like 6Mbit` : { kind: 'rate', rate }
}

function readShare (given: unknown): Amount | string {
  const share = typeof given === 'string' ? parseShare(given.trim()) : undefined
  return share === undefined ? `${quote(given)} is not a share of the line; write it like 30%` : { kind: 'share', share }
}

function readTerms ({ for: given, reason }: Fields): Terms | string {
  const forMs = typeof given === 'string' ? parseDuration(given.trim()) : undefined
  const hasEnd = given !== undefined && given !== null
  if (hasEnd && (forMs === undefined || forMs < FOR_MS.min || forMs > FOR_MS.max)) {
    return `${quote(given)} is not a time from 1s to 366d; write it like 90s, 30m or 1h`
  }
  if (reason === undefined || reason === null || reason === '') return { forMs, reason: undefined }
  if (typeof reason !== 'string' || reason.length > REASON_MAX || /\p{Cc}/u.test(reason)) {
    return `the reason is not one line of at most ${REASON_MAX} characters`
  }
  return { forMs, reason }
}

function quote (value: unknown): string {
  return JSON.stringify(value).slice(0, 80)
}
