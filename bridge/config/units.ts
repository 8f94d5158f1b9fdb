// Units for people, both ways. Sizes are bytes (KB = 1,000, KiB = 1,024, as IEC 80000-13 has them),
// rates are bits per second as lines are sold, durations are milliseconds, shares run from 0 to 1.
// Each parseX gives undefined for foreign input, and parseX(formatX(n)) is n.

type Units = ReadonlyArray<readonly [name: string, factor: number]>

const SIZES: Units = [
  ['TiB', 2 ** 40], ['TB', 1e12], ['GiB', 2 ** 30], ['GB', 1e9], ['MiB', 2 ** 20], ['MB', 1e6],
  ['KiB', 2 ** 10], ['KB', 1e3], ['B', 1]
]
const RATES: Units = [['Gbit', 1e9], ['Mbit', 1e6], ['kbit', 1e3], ['bit', 1]]
const DURATIONS: Units = [['h', 3_600_000], ['m', 60_000], ['s', 1_000], ['ms', 1]]
const DAY_MS = 86_400_000

/**
 * `250KB`, `64MiB`, `1.5GB`, or plain bytes. A small b is refused, because Mb reads as megabit to
 * half of the people who write it.
 */
export function parseSize (text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kKMGT])(i?))?(B?)$/.exec(text)
  if (match === null) return undefined
  const [, digits, prefix = '', binary = '', unit] = match
  if (unit === '' && (prefix !== '' || digits?.includes('.') === true)) return undefined
  return whole(Number(digits) * scale(SIZES, `${prefix.toUpperCase()}${binary}B`))
}

export function formatSize (bytes: number): string {
  return formatIn(SIZES, bytes)
}

/** `40Mbit`, `40Mbit/s`, `40Mbps`, `512kbit`. A plain number is refused: bits or bytes? */
export function parseRate (text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?)(?:bit|bit\/s|bps)$/i.exec(text)
  if (match === null) return undefined
  const [, digits, prefix = ''] = match
  return whole(Number(digits) * scale(RATES, prefix === '' ? 'bit' : `${titled(prefix)}bit`))
}

export function formatRate (bitsPerSecond: number): string {
  return formatIn(RATES, bitsPerSecond)
}

/** A rate, or `unlimited`: infinite. */
export function parseCapacity (text: string): number | undefined {
  return text === 'unlimited' ? Infinity : parseRate(text)
}

export function formatCapacity (bitsPerSecond: number): string {
  return bitsPerSecond === Infinity ? 'unlimited' : formatRate(bitsPerSecond)
}

/** `500ms`, `90s`, `5m`, `24h`, `7d`, or 0. Any other plain number is refused: seconds or milliseconds? */
export function parseDuration (text: string): number | undefined {
  if (text === '0') return 0
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|min|h|d)$/.exec(text)
  if (match === null) return undefined
  const [, digits, unit] = match
  if (unit === 'd') return whole(Number(digits) * DAY_MS)
  return whole(Number(digits) * scale(DURATIONS, unit === 'min' ? 'm' : unit ?? ''))
}

export function formatDuration (ms: number): string {
  return formatIn(DURATIONS, ms)
}

/** `20%`, or a plain fraction below 1. A plain 1 is refused: 1 % or all of it? */
export function parseShare (text: string): number | undefined {
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(text)
  if (percent !== null) return Number(percent[1]) / 100
  return /^0(\.\d+)?$/.test(text) ? Number(text) : undefined
}

export function formatShare (share: number): string {
  return `${Number((share * 100).toPrecision(15))}%`
}

function scale (units: Units, name: string): number {
  return units.find(([unit]) => unit === name)?.[1] ?? NaN
}

// 1.1 * 1e9 is 1100000000.0000002, and half a byte is nobody's meaning.
function whole (value: number): number | undefined {
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) && Math.abs(value - rounded) < 1e-3 ? rounded : undefined
}

/** In the largest unit that leaves no fraction, so that nothing is lost in print. */
function formatIn (units: Units, value: number): string {
  const exact = units.find(([, factor]) => value >= factor && value % factor === 0)
  const [unit, factor] = exact ?? units.at(-1) ?? ['', 1]
  return `${value / factor}${unit}`
}

// Rates have a small k and a capital M and G, as SI writes them.
function titled (prefix: string): string {
  return prefix.toLowerCase() === 'k' ? 'k' : prefix.toUpperCase()
}
