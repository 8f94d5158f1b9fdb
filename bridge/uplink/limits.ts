// What of the line is ours just now, and why: what an operator ordered, else the timetable, else the usual share.

import type { Observe } from '../events.ts'
import type { Allowance } from './allowance.ts'
import { Gate } from './gate.ts'
import { NO_ORDERS, readOrders, writeOrders, type Amount, type Orders } from './limits-file.ts'
import type { Timetable } from './timetable.ts'

export interface LimitsDeps {
  readonly allowance: Pick<Allowance, 'bytesPerSecond'>
  readonly observe: Observe
  /** ms since epoch; may jump, as clocks do. */
  readonly now?: () => number
}

/** What the configuration says, which may change while the service runs. */
export interface Line {
  readonly timetable: Timetable
  /** Bits per second of the whole line. */
  readonly capacity: number
  /** 0 to 1, taken off for what TCP and IP add. */
  readonly overhead: number
}

export type LimitSource = 'override' | 'timetable' | 'share'

/** Who keeps uploads from beginning: a person, or the timetable. */
export type PausedBy = 'operator' | 'schedule'

/** What holds from some moment on. Times are ms since epoch. */
export interface LimitAt {
  /** On the wire to the store. 0: no put is begun. */
  readonly bytesPerSecond: number
  readonly source: LimitSource
  readonly paused: PausedBy | undefined
  readonly reason: string | undefined
  /** Undefined: until somebody changes it. */
  readonly until: number | undefined
}

export interface LimitInForce extends LimitAt {
  /** Undefined where it held already when the service started. */
  readonly since: number | undefined
  /** What holds from `until` on. */
  readonly next: LimitAt | undefined
}

/** What an operator did about it. */
export type LimitAction = 'pause' | 'resume' | 'set_limit'

export interface Terms {
  /** Undefined: until it is put back. */
  readonly forMs: number | undefined
  readonly reason: string | undefined
}

const LOOK_EVERY_MS = 200

/**
 * Keeps the allowance at what is in force. A pause shuts the gate before the next put and lets those under way come to
 * their end at the rate they had: a put that is cut goes over the line again from its first byte, and one that is held
 * for hours ends by the store's time-out, with the same loss.
 */
export class Limits {
  readonly gate = new Gate()
  readonly #file: string
  readonly #allowance: Pick<Allowance, 'bytesPerSecond'>
  readonly #observe: Observe
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #line: Line
  #orders: Orders
  #inForce: LimitInForce
  #saving: Promise<void> = Promise.resolve()

  /** Reads what an operator set before a restart from `file`; one that is damaged is told of and left alone. */
  static async open (file: string, line: Line, deps: LimitsDeps): Promise<Limits> {
    const orders = await readOrders(file)
    if (typeof orders !== 'string') return new Limits(file, line, { ...deps, orders })
    const detail = `${orders}; the timetable holds, set the limit again if it is to be another`
    deps.observe({ kind: 'limits-not-kept', detail })
    return new Limits(file, line, { ...deps, orders: NO_ORDERS })
  }

  private constructor (file: string, line: Line, deps: LimitsDeps & { readonly orders: Orders }) {
    const { allowance, observe, now = Date.now, orders } = deps
    this.#file = file
    this.#line = line
    this.#allowance = allowance
    this.#observe = observe
    this.#now = now
    this.#orders = orders
    this.#inForce = this.#inForceAt(now(), undefined)
    this.#apply()
    if (this.#inForce.source !== 'share') this.#tell(undefined)
    this.#timer = setInterval(() => { this.#look() }, LOOK_EVERY_MS)
  }

  get inForce (): LimitInForce { return this.#inForce }
  /** Bits per second of the whole line: no limit is above it. */
  get capacity (): number { return this.#line.capacity }
  /** 0 to 1, of whatever is ours: TCP and IP take it. */
  get overhead (): number { return this.#line.overhead }
  get timeZone (): string { return this.#line.timetable.timeZone }

  /** What an operator set, whether it is in force or behind a pause. */
  get orders (): Orders { return this.#valid(this.#now()) }

  /** What holds at a time to come, ms since epoch, as far as it is known now. */
  readonly at = (ms: number): LimitAt => this.#limitAt(ms)

  configure (line: Line): void {
    this.#line = line
    this.#look()
  }

  /** Undefined puts it back. Holds at once; false where it could not be written down and a restart forgets it. */
  async set (amount: Amount | undefined, terms: Terms): Promise<boolean> {
    const override = amount === undefined ? undefined : { amount, ...this.#from(terms) }
    return await this.#order({ ...this.orders, override }, 'set_limit')
  }

  /** No put is begun from now on. */
  async pause (terms: Terms): Promise<boolean> {
    return await this.#order({ ...this.orders, pause: this.#from(terms) }, 'pause')
  }

  /** Ends a pause of an operator. What the timetable says holds again, which may be off, too. */
  async resume (): Promise<boolean> {
    return await this.#order({ ...this.orders, pause: undefined }, 'resume')
  }

  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#saving
  }

  #from ({ forMs, reason }: Terms): { since: number, until: number | undefined, reason: string | undefined } {
    const since = this.#now()
    return { since, until: forMs === undefined ? undefined : since + forMs, reason }
  }

  async #order (orders: Orders, action: LimitAction): Promise<boolean> {
    this.#orders = orders
    this.#look(action)
    const saved = this.#saving.then(() => writeOrders(this.#file, this.#orders)).then(() => true, (cause: Error) => {
      const detail = `cannot write ${this.#file} (${cause.message}); the limit holds now, and is forgotten by a restart`
      this.#observe({ kind: 'limits-not-kept', detail })
      return false
    })
    this.#saving = saved.then(() => {})
    return await saved
  }

  #look (action?: LimitAction): void {
    const before = this.#inForce
    this.#inForce = this.#inForceAt(this.#now(), before)
    this.#apply()
    if (action !== undefined || !isSame(before, this.#inForce)) this.#tell(action)
  }

  #apply (): void {
    const { bytesPerSecond } = this.#inForce
    this.gate.turn(bytesPerSecond > 0)
    if (bytesPerSecond === 0 || bytesPerSecond === this.#allowance.bytesPerSecond) return
    this.#allowance.bytesPerSecond = bytesPerSecond
  }

  #tell (action: LimitAction | undefined): void {
    const { bytesPerSecond, source, paused, reason, until } = this.#inForce
    this.#observe({ kind: 'limit-changed', action, bytesPerSecond, source, paused, reason, until })
  }

  #inForceAt (now: number, before: LimitInForce | undefined): LimitInForce {
    const limit = this.#limitAt(now)
    const { pause, override } = this.#orders
    const ordered = limit.paused === 'operator' ? pause : limit.source === 'override' ? override : undefined
    const seen = before === undefined ? undefined : isSame(before, limit) ? before.since : now
    return {
      ...limit,
      since: ordered?.since ?? seen,
      next: limit.until === undefined ? undefined : this.#limitAt(limit.until)
    }
  }

  #limitAt (at: number): LimitAt {
    const { pause, override } = this.#valid(at)
    if (pause !== undefined) {
      return { bytesPerSecond: 0, source: 'override', paused: 'operator', reason: pause.reason, until: pause.until }
    }
    if (override !== undefined) {
      const { reason, until, amount } = override
      return { bytesPerSecond: this.#bytesOf(amount), source: 'override', paused: undefined, reason, until }
    }
    const { bytesPerSecond, until, entry } = this.#line.timetable.at(at)
    return {
      bytesPerSecond,
      source: entry === undefined ? 'share' : 'timetable',
      paused: bytesPerSecond > 0 ? undefined : 'schedule',
      reason: undefined,
      until
    }
  }

  #valid (at: number): Orders {
    const valid = <Order extends { readonly until: number | undefined }>(order: Order | undefined): Order | undefined =>
      order?.until !== undefined && order.until <= at ? undefined : order
    return { pause: valid(this.#orders.pause), override: valid(this.#orders.override) }
  }

  #bytesOf (amount: Amount): number {
    const { capacity, overhead } = this.#line
    const bits = amount.kind === 'share' ? amount.share * capacity : Math.min(amount.rate, capacity)
    return bits / 8 * (1 - overhead)
  }
}

/** Whether one is what the other is, however long. */
function isSame (one: LimitAt, other: LimitAt): boolean {
  return one.bytesPerSecond === other.bytesPerSecond && one.source === other.source && one.paused === other.paused
}
