import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Timetable, type TimetableEntry } from '../bridge/uplink/timetable.ts'
import { rounds } from './faults/rounds.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const WEEK_MINUTES = 7 * 1440
const USUAL = 1000
/** Two of one hour, one of half an hour, none; one that is set at midnight, and one beyond UTC+12. */
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC', 'America/Havana', 'Pacific/Chatham']

/** The time on the wall, told by the parts of a date instead of an offset; asked for every quarter of an hour. */
function createWall (timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone, year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', hourCycle: 'h23'
  })
  let [quarter, shown] = [NaN, NaN]
  return (at) => {
    const from = at - at % (15 * MINUTE_MS)
    if (from !== quarter) {
      const parts = new Map(format.formatToParts(from).map(({ type, value }) => [type, Number(value)]))
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0] =
        (['year', 'month', 'day', 'hour', 'minute'] as const).map((type) => parts.get(type))
      quarter = from
      shown = Date.UTC(year, month - 1, day, hour, minute)
    }
    return shown + at - from
  }
}

/** Each minute of a week that begins on a Sunday: which entry holds. Written from the last to the first. */
function drawWeek (entries: readonly TimetableEntry[]): Array<TimetableEntry | undefined> {
  const week = new Array<TimetableEntry | undefined>(WEEK_MINUTES).fill(undefined)
  for (const entry of [...entries].reverse()) {
    for (const day of entry.days) {
      const minutes = entry.to > entry.from ? entry.to - entry.from : 1440 - entry.from + entry.to
      for (let i = 0; i < minutes; i++) week[(day * 1440 + entry.from + i) % WEEK_MINUTES] = entry
    }
  }
  return week
}

/**
 * Walks from minute to minute with a wall clock that never goes back (where the real one is set back, it stands still),
 * and asks the timetable only where it said that it would change. Returns how many changes there were.
 */
function compare (entries: readonly TimetableEntry[], timeZone: string, from: number, to: number): number {
  const timetable = new Timetable({ entries, bytesPerSecond: USUAL, timeZone })
  const [wallAt, week] = [createWall(timeZone), drawWeek(entries)]
  let latest = -Infinity
  for (let at = from - 2 * DAY_MS; at < from; at += MINUTE_MS) latest = Math.max(latest, wallAt(at))
  let slot = timetable.at(from)
  let changes = 0
  for (let at = from; at < to; at += MINUTE_MS) {
    latest = Math.max(latest, wallAt(at))
    const minute = Math.floor(latest / MINUTE_MS) + 4 * 1440 // 1 January 1970 was a Thursday
    const expected = week[minute % WEEK_MINUTES]
    if (slot.until !== undefined && at >= slot.until) {
      assert.equal(slot.until, at, `${timeZone}: a change between two minutes, ${new Date(slot.until).toISOString()}`)
      const next = timetable.at(at)
      assert.notEqual(next.entry, slot.entry, `${timeZone}: no change at ${new Date(at).toISOString()}`)
      slot = next
      changes++
    }
    if (slot.entry !== expected || slot.bytesPerSecond !== (expected?.bytesPerSecond ?? USUAL)) {
      assert.fail(`${timeZone}: another entry at ${new Date(at).toISOString()}, on the wall ${new Date(wallAt(at)).toISOString()}`)
    }
  }
  return changes
}

const clock = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
const WEEKDAYS = [1, 2, 3, 4, 5]
const ALL = [0, 1, 2, 3, 4, 5, 6]

function entry (days: readonly number[], hours: string, bytesPerSecond: number): TimetableEntry {
  const [from = '', to = ''] = hours.split('-')
  return { days, from: clock(from), to: clock(to), bytesPerSecond }
}

/** Nights, a weekend that is off, a short hour, and some that begin or end within the hours that clocks are set. */
const WEEK = [
  entry([0], '02:15-02:45', 7), entry([0], '01:30-02:10', 6), entry([6], '23:30-00:30', 5),
  entry(WEEKDAYS, '22:00-06:00', 3000), entry([6, 0], '08:00-20:00', 0), entry([3], '12:00-12:01', 4),
  entry([0], '00:00-00:00', 2)
]

for (const timeZone of ZONES) {
  test(`in ${timeZone} every minute of a year has the rate of its time on the wall`, () => {
    const from = Date.UTC(2026, 0, 1)
    const changes = compare(WEEK, timeZone, from, from + rounds({ fast: 366, long: 4 * 366 }) * DAY_MS)
    assert.ok(changes > 365 * 1.5, `${changes} changes`)
  })
}

const entries = fc.array(fc.record({
  days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
  from: fc.integer({ min: 0, max: 1439 }),
  to: fc.integer({ min: 0, max: 1439 }),
  bytesPerSecond: fc.integer({ min: 0, max: 9 })
}), { maxLength: 6 })

test('any timetable holds through the weeks in which clocks are set', () => {
  const spring = Date.UTC(2026, 2, 5)
  const autumn = Date.UTC(2026, 9, 20)
  fc.assert(fc.property(entries, fc.constantFrom(...ZONES), fc.constantFrom(spring, autumn), (some, timeZone, from) => {
    compare(some, timeZone, from, from + 28 * DAY_MS)
  }), { numRuns: rounds({ fast: 15, long: 2000 }) })
})

const at = (text: string): number => Date.parse(text)

test('a night that begins on Friday goes on until Saturday morning, and Saturday has none of its own', () => {
  const timetable = new Timetable({ entries: [entry(WEEKDAYS, '22:00-06:00', 60)], bytesPerSecond: 20, timeZone: 'Europe/Berlin' })
  const friday = timetable.at(at('2026-11-20T23:00:00+01:00'))
  assert.deepEqual([friday.bytesPerSecond, friday.until], [60, at('2026-11-21T06:00:00+01:00')])
  const saturday = timetable.at(at('2026-11-21T23:00:00+01:00'))
  assert.deepEqual([saturday.bytesPerSecond, saturday.until], [20, at('2026-11-23T22:00:00+01:00')])
})

test('an hour that is left out does not take place, and one that comes twice lasts through both', () => {
  const timetable = new Timetable({ entries: [entry([0], '02:00-03:00', 60)], bytesPerSecond: 20, timeZone: 'Europe/Berlin' })
  const spring = timetable.at(at('2026-03-29T00:30:00+01:00'))
  assert.deepEqual([spring.bytesPerSecond, spring.until], [20, at('2026-04-05T02:00:00+02:00')])
  const autumn = timetable.at(at('2026-10-25T02:00:00+02:00'))
  assert.deepEqual([autumn.bytesPerSecond, autumn.until], [60, at('2026-10-25T03:00:00+01:00')])
})

test('what begins within the hour that is left out begins when the clock is set', () => {
  const timetable = new Timetable({ entries: [entry([0], '02:30-06:00', 60)], bytesPerSecond: 20, timeZone: 'Europe/Berlin' })
  assert.equal(timetable.at(at('2026-03-29T00:00:00+01:00')).until, at('2026-03-29T03:00:00+02:00'))
  assert.equal(timetable.at(at('2026-03-29T03:00:00+02:00')).bytesPerSecond, 60)
})

test('a timetable without entries, or with one that is always on, never changes', () => {
  const always = entry(ALL, '00:00-00:00', 60)
  assert.deepEqual(new Timetable({ entries: [always], bytesPerSecond: 20, timeZone: 'UTC' }).at(0),
    { bytesPerSecond: 60, until: undefined, entry: always })
  assert.deepEqual(new Timetable({ entries: [], bytesPerSecond: 20, timeZone: 'UTC' }).at(0),
    { bytesPerSecond: 20, until: undefined, entry: undefined })
})

test('the first of two entries holds where both would, and the second goes on after it', () => {
  const [lunch, day] = [entry([1], '12:00-13:00', 5), entry([1], '08:00-18:00', 50)]
  const timetable = new Timetable({ entries: [lunch, day], bytesPerSecond: 20, timeZone: 'UTC' })
  const rates = ['07:59', '08:00', '12:00', '13:00', '18:00']
    .map((time) => timetable.at(at(`2026-11-23T${time}:00Z`)).bytesPerSecond)
  assert.deepEqual(rates, [20, 50, 5, 50, 20])
})
