// `uplink.schedule`: the week as a person writes it. uplink/timetable.ts gives it its meaning.

import * as z from 'zod'
import type { Config } from './config.ts'
import type { Doubt } from './check.ts'
import { formatRate, formatShare, parseRate, parseShare } from './units.ts'

/** How much of the line is ours for some hours of some days. */
export interface ScheduleEntry {
  /** The days on which it begins, 0 is Sunday; Monday comes first. */
  readonly days: readonly number[]
  /** Minutes since midnight. Where `to` is not after `from`, it is on the day after. */
  readonly from: number
  readonly to: number
  readonly limit: ScheduleLimit
}

export type ScheduleLimit =
  | { readonly kind: 'share', readonly share: number }
  /** Bits per second of the line. */
  | { readonly kind: 'rate', readonly rate: number }
  | { readonly kind: 'off' }

/** No line is thinner: a request with its headers would take longer than the store waits for it. */
export const RATE_MIN = 8_000

const NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MONDAY_FIRST = [1, 2, 3, 4, 5, 6, 0]
const DAY_MINUTES = 1440
const KEYS = ['days', 'from', 'to', 'share', 'rate', 'off']
const EXAMPLE = '{ days: mon-fri, from: "22:00", to: "06:00", share: 60% }'
const SHORT_EXAMPLE = 'mon-fri 22:00-06:00 60%'
const REFUSAL = `is not a timetable; write a list of entries like ${EXAMPLE}`

const TIME = '^([01]\\d|2[0-3]):[0-5]\\d$'
/** Looked at one by one below, so that each problem has its path; this is for editors. */
const entrySchema = {
  type: 'object',
  properties: {
    days: {
      description: 'mon, mon-fri, sat,sun or all',
      anyOf: [{ type: 'string' }, { type: 'array', items: { enum: NAMES } }]
    },
    from: { type: 'string', pattern: TIME },
    to: { type: 'string', pattern: `${TIME}|^24:00$` },
    share: { description: 'of uplink.capacity, like 60%, or off', type: ['string', 'number'] },
    rate: { description: 'like 6Mbit', type: 'string' },
    off: { const: true }
  },
  required: ['days', 'from', 'to'],
  additionalProperties: false
}
const listType = z.array(z.unknown().meta({ anyOf: [{ type: 'string' }, entrySchema] }))

/** In a file a list of entries; from the environment or a flag `mon-fri 22:00-06:00 60%; sat,sun 00:00-24:00 off`. */
export const schedule = (description: string) =>
  z.codec(z.union([z.string(), listType], { error: () => REFUSAL }), z.custom<readonly ScheduleEntry[]>(), {
    decode (given, context) {
      const refuse = (message: string, path: PropertyKey[]): void => {
        context.issues.push({ code: 'custom', path, message, input: given })
      }
      if (typeof given !== 'string') {
        return given.flatMap((one, at) => {
          const read = readEntry(one)
          if (read instanceof Wrong) refuse(read.message, [at, ...read.path])
          return read instanceof Wrong ? [] : [read]
        })
      }
      return splitText(given).flatMap((one) => {
        const read = readShort(one)
        if (read instanceof Wrong) refuse(`holds ${JSON.stringify(one)}, which ${read.message}`, [])
        return read instanceof Wrong ? [] : [read]
      })
    },
    encode: (entries) => entries.map(formatEntry)
  }).prefault([]).meta({ description })

/** IANA's name; null stands for the zone of the machine. */
export const timeZone = (description: string) =>
  z.string({ error: () => NO_ZONE }).refine(isTimeZone, { error: () => NO_ZONE })
    .nullable().prefault(null).meta({ description, whenNull: 'that of the machine' })

const NO_ZONE = 'is not a time zone known here; write a name of the IANA database, like Europe/Berlin or UTC'

function isTimeZone (name: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** What is wrong with an entry, and where in it. */
class Wrong {
  readonly path: readonly string[]
  readonly message: string

  constructor (message: string, ...path: string[]) {
    this.path = path
    this.message = message
  }
}

function splitText (text: string): string[] {
  return text.trim() === '' ? [] : text.split(';').map((one) => one.trim())
}

function readEntry (given: unknown): ScheduleEntry | Wrong {
  if (typeof given === 'string') return readShort(given)
  if (typeof given !== 'object' || given === null) return new Wrong(`is not an entry; write it like ${EXAMPLE}`)
  const written = given as Readonly<Record<string, unknown>>
  const foreign = Object.keys(written).find((key) => !KEYS.includes(key))
  if (foreign !== undefined) return new Wrong(`is unknown; an entry has ${KEYS.join(', ')}`, foreign)
  const days = parseDays(written['days'])
  if (days === undefined) return new Wrong('is no day of the week; write mon, mon-fri, sat,sun or all', 'days')
  const from = parseClock(written['from'], 'from')
  if (from === undefined) return new Wrong('is not a time of the day; write it like "22:00"', 'from')
  const to = parseClock(written['to'], 'to')
  if (to === undefined) return new Wrong('is not a time of the day; write it like "06:00"', 'to')
  const limit = readLimit(written)
  return limit instanceof Wrong ? limit : { days, from, to, limit }
}

function readShort (text: string): ScheduleEntry | Wrong {
  const [, days, from, to, amount] = /^(\S+) +(\S+)-(\S+) +(\S+)$/.exec(text) ?? []
  if (amount === undefined) return new Wrong(`is not an entry; write it like ${SHORT_EXAMPLE}`)
  const isRate = parseRate(amount) !== undefined
  const read = readEntry({ days, from, to, ...isRate ? { rate: amount } : { share: amount } })
  if (!(read instanceof Wrong)) return read
  const value: Readonly<Record<string, string | undefined>> = { days, from, to, share: amount }
  return new Wrong(`has ${value[read.path[0] ?? ''] ?? text}, which ${read.message}`)
}

function readLimit ({ share, rate, off }: Readonly<Record<string, unknown>>): ScheduleLimit | Wrong {
  const given = [share, rate, off].filter((one) => one !== undefined && one !== null)
  if (given.length !== 1) return new Wrong('needs one of share, rate and off; write share: 60%, rate: 6Mbit or off: true')
  // YAML 1.1, which some editors write, reads a plain off as false.
  if (off === true || share === 'off' || share === false || rate === 'off') return { kind: 'off' }
  if (off !== undefined && off !== null) return new Wrong('can only be true; remove it, and write a share or a rate', 'off')
  if (rate !== undefined && rate !== null) {
    const bits = typeof rate === 'string' ? parseRate(rate.trim()) : undefined
    if (bits === undefined) return new Wrong('is not a rate in bits per second; write it like 6Mbit', 'rate')
    return { kind: 'rate', rate: bits }
  }
  const part = typeof share === 'string' || typeof share === 'number' ? parseShare(String(share).trim()) : undefined
  if (part === undefined) return new Wrong('is not a share; write it like 60%, or off', 'share')
  if (part > 1) return new Wrong('is too large; write 100% or less', 'share')
  return part === 0 ? { kind: 'off' } : { kind: 'share', share: part }
}

/** `mon`, `mon-fri`, `sat-mon`, `sat,sun`, `all`, or a list of them. */
function parseDays (written: unknown): readonly number[] | undefined {
  const words = (Array.isArray(written) ? written : [written])
    .flatMap((one) => typeof one === 'string' ? one.toLowerCase().split(',').map((word) => word.trim()) : [''])
  const days = words.map(parseDayRange)
  if (days.length === 0 || days.includes(undefined)) return undefined
  return MONDAY_FIRST.filter((day) => days.some((range) => range?.includes(day)))
}

function parseDayRange (word: string): readonly number[] | undefined {
  if (word === 'all') return MONDAY_FIRST
  const [first = -1, last = first, ...more] = word.split('-').map((name) => NAMES.indexOf(name.trim()))
  if (more.length > 0 || first < 0 || last < 0) return undefined
  return Array.from({ length: (last - first + 7) % 7 + 1 }, (_, i) => (first + i) % 7)
}

/** Minutes since midnight; the end of the day may be written 24:00. */
function parseClock (written: unknown, which: 'from' | 'to'): number | undefined {
  if (which === 'to' && written === '24:00') return 0
  const [, hours, minutes] = (typeof written === 'string' ? /^([01]\d|2[0-3]):([0-5]\d)$/.exec(written) : null) ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}

/** As a file would have it. */
export function formatEntry ({ days, from, to, limit }: ScheduleEntry): Record<string, string | boolean> {
  const hours = { days: formatDays(days), from: formatClock(from), to: formatClock(to) }
  switch (limit.kind) {
    case 'share': return { ...hours, share: formatShare(limit.share) }
    case 'rate': return { ...hours, rate: formatRate(limit.rate) }
    case 'off': return { ...hours, off: true }
  }
}

function formatDays (days: readonly number[]): string {
  if (days.length === 7) return 'all'
  const [first = 0, last = 0] = [days[0], days.at(-1)].map((day) => MONDAY_FIRST.indexOf(day ?? 1))
  const isRange = days.length > 2 && last - first === days.length - 1
  const shown = isRange ? [MONDAY_FIRST[first], MONDAY_FIRST[last]] : days
  return shown.map((day) => NAMES[day ?? 0]).join(isRange ? '-' : ',')
}

function formatClock (minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'))
  return `${hour}:${minute}`
}

/** What the entries say together, and against the line. */
export function checkSchedule ({ schedule, capacity }: Config['uplink']): Doubt[] {
  const taken = new Set<number>()
  return schedule.flatMap(({ limit, ...hours }, at): Doubt[] => {
    const doubt = (message: string, ...more: string[]): Doubt =>
      ({ path: `uplink.schedule[${at}]`, reads: ['uplink.schedule', ...more], message })
    const minutes = minutesOf(hours)
    const isHidden = minutes.every((minute) => taken.has(minute))
    for (const minute of minutes) taken.add(minute)
    const bits = limit.kind === 'share' ? limit.share * capacity : limit.kind === 'rate' ? limit.rate : undefined
    return [
      ...isHidden ? [doubt('never holds, because entries before it cover all of its hours, and the first one counts; remove it, or put it before them')] : [],
      ...bits !== undefined && bits > capacity ? [doubt(`is more than uplink.capacity; write ${formatRate(capacity)} or less`, 'uplink.capacity')] : [],
      ...bits !== undefined && bits < RATE_MIN ? [doubt(`comes to less than ${formatRate(RATE_MIN)}; write more, or off`, 'uplink.capacity')] : []
    ]
  })
}

/** The minutes of the week that an entry covers. */
function minutesOf ({ days, from, to }: Pick<ScheduleEntry, 'days' | 'from' | 'to'>): number[] {
  const length = to > from ? to - from : DAY_MINUTES - from + to
  return days.flatMap((day) => Array.from({ length }, (_, i) => (day * DAY_MINUTES + from + i) % (7 * DAY_MINUTES)))
}
