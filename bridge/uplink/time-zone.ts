// Clocks on walls. A wall time is written as the milliseconds that UTC would have if its clock showed the same.

const DAY_MS = 86_400_000

/** The clock of a time zone, with its daylight saving. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat

  /** `name` is IANA's, like Europe/Berlin. Throws a RangeError for one that nobody knows. */
  constructor (name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  }

  get name (): string { return this.#format.resolvedOptions().timeZone }

  /** What the clock there shows at `at`, ms since epoch. */
  wallAt (at: number): number {
    return at + this.#offsetAt(at)
  }

  /**
   * The first moment, ms since epoch, at which the clock there shows `wall` or has passed it: the first one of two
   * where the clock is set back, and where it is set forward over `wall`, the moment of that.
   */
  firstAt (wall: number): number {
    // No zone is set twice within two days, and none is a day or more away from UTC.
    const [before, after] = [this.#offsetAt(wall - DAY_MS), this.#offsetAt(wall + DAY_MS)]
    if (before === after) return wall - before
    const changedAt = this.#changeBetween(wall - DAY_MS, wall + DAY_MS)
    return wall - before < changedAt ? wall - before : Math.max(changedAt, wall - after)
  }

  /** The one moment after `from` and up to `to` from which on the offset is another. */
  #changeBetween (from: number, to: number): number {
    const before = this.#offsetAt(from)
    let [same, other] = [from, to]
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2)
      if (this.#offsetAt(middle) === before) same = middle
      else other = middle
    }
    return other
  }

  /** ms that the clock there is ahead of UTC. */
  #offsetAt (at: number): number {
    // ECMA-402 writes GMT for none, else GMT+05:30, with seconds where there are any.
    const [, sign, hours, minutes, seconds = '0'] = OFFSET.exec(this.#format.format(at)) ?? []
    const size = (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds)) * 1000
    return sign === '-' ? -size : size
  }
}

const OFFSET = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/
