// The week of the uplink: at which hours which rate. Pure arithmetic on a clock that is handed in.

import { TimeZone } from './time-zone.ts'

/** A rate for some hours of some days, by the clock on the wall. */
export interface TimetableEntry {
  /** The days on which it begins, 0 is Sunday. */
  readonly days: readonly number[]
  /** Minutes since midnight. Where `to` is not after `from`, it is on the day after. */
  readonly from: number
  readonly to: number
  /** 0: off. */
  readonly bytesPerSecond: number
}

/** What holds at a moment, and for how long. */
export interface Slot {
  /** 0: off. */
  readonly bytesPerSecond: number
  /** Where the next slot begins, ms since epoch; undefined where nothing ever changes. */
  readonly until: number | undefined
  /** Undefined: outside of all entries, where the usual rate holds. */
  readonly entry: TimetableEntry | undefined
}

export interface TimetableOptions {
  /** Of those that overlap, the first one holds. */
  readonly entries: readonly TimetableEntry[]
  /** Outside of all entries. */
  readonly bytesPerSecond: number
  /** IANA's name. */
  readonly timeZone: string
}

interface Span {
  readonly entry: TimetableEntry
  /** ms since epoch; `end` is not in it. */
  readonly start: number
  readonly end: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** 1 January 1970 was a Thursday. */
const FIRST_WEEKDAY = 4
/** Days to look ahead for the next change. An hour left out by daylight saving is there again a week later. */
const HORIZONS = [2, 8, 15]
const DAYS_KEPT = 64

/**
 * An entry begins and ends at the first moment at which the clock shows its time or has passed it. So one whose hour
 * comes twice lasts through both, one whose hour is left out does not take place, and what ends where another begins
 * leaves no gap to it.
 */
export class Timetable {
  readonly #entries: readonly TimetableEntry[]
  readonly #bytesPerSecond: number
  readonly #zone: TimeZone
  readonly #spans = new Map<number, readonly Span[]>()

  /** Throws a RangeError for a time zone that nobody knows. */
  constructor ({ entries, bytesPerSecond, timeZone }: TimetableOptions) {
    this.#entries = entries
    this.#bytesPerSecond = bytesPerSecond
    this.#zone = new TimeZone(timeZone)
  }

  get timeZone (): string { return this.#zone.name }

  /** What holds at `at`, ms since epoch. */
  at (at: number): Slot {
    const today = Math.floor(this.#zone.wallAt(at) / DAY_MS)
    const entry = this.#holding(this.#spansFrom(today - 2, today + 1), at)
    return { bytesPerSecond: entry?.bytesPerSecond ?? this.#bytesPerSecond, until: this.#until(at, today), entry }
  }

  #until (at: number, today: number): number | undefined {
    for (const horizon of HORIZONS) {
      const spans = this.#spansFrom(today - 2, today + horizon)
      const entry = this.#holding(spans, at)
      const known = this.#zone.firstAt((today + horizon + 1) * DAY_MS)
      const borders = spans.flatMap(({ start, end }) => [start, end])
        .filter((border) => border > at && border < known)
        .sort((one, other) => one - other)
      const next = borders.find((border) => this.#holding(spans, border) !== entry)
      if (next !== undefined) return next
    }
    return undefined
  }

  #holding (spans: readonly Span[], at: number): TimetableEntry | undefined {
    return this.#entries.find((entry) =>
      spans.some((span) => span.entry === entry && span.start <= at && at < span.end))
  }

  #spansFrom (first: number, last: number): readonly Span[] {
    return Array.from({ length: last - first + 1 }, (_, i) => this.#spansOf(first + i)).flat()
  }

  /** Those that begin on a day, counted since 1 January 1970. */
  #spansOf (day: number): readonly Span[] {
    const known = this.#spans.get(day)
    if (known !== undefined) return known
    const weekday = (day + FIRST_WEEKDAY) % 7
    const spans = this.#entries
      .filter(({ days }) => days.includes(weekday))
      .map((entry) => {
        const { from, to } = entry
        const start = this.#zone.firstAt(day * DAY_MS + from * MINUTE_MS)
        const end = this.#zone.firstAt((to > from ? day : day + 1) * DAY_MS + to * MINUTE_MS)
        return { entry, start, end }
      })
    if (this.#spans.size >= DAYS_KEPT) this.#spans.clear()
    this.#spans.set(day, spans)
    return spans
  }
}
