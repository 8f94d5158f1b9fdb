// Round numbers for the axes of a chart.

export interface Tick {
  readonly at: number
  readonly label: string
}

const TICKS_MAX = 8
const VALUE_TICKS = 4
const DAY_SECONDS = 86_400
const STEPS_SECONDS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_SECONDS
]

/** From 0 to the last round time within so many seconds, as `30 s`, `2 min` or `6 h`. */
export function timeTicks (seconds: number): readonly Tick[] {
  const step = STEPS_SECONDS.find((each) => seconds / each <= TICKS_MAX) ??
    Math.ceil(seconds / TICKS_MAX / DAY_SECONDS) * DAY_SECONDS
  const [unit, unitSeconds] = step < 60 ? ['s', 1] as const : step < 3600 ? ['min', 60] as const : ['h', 3600] as const
  return ticks(step, Math.floor(seconds / step + 1e-9), (at) => `${clean(at / unitSeconds)} ${unit}`)
}

/** From 0 to a round number that is no less than the most; what has no unit is counted, and half of one is none. */
export function valueTicks (most: number, unit: string): readonly Tick[] {
  const step = most > 0 ? Math.max(niceCeiling(most / VALUE_TICKS), unit === '' ? 1 : 0) : 1
  return ticks(step, most > 0 ? Math.ceil(most / step - 1e-9) : 1, (at) => `${formatValue(at)} ${unit}`.trimEnd())
}

function ticks (step: number, count: number, format: (at: number) => string): readonly Tick[] {
  return Array.from({ length: count + 1 }, (_, index) => ({ at: index * step, label: format(index * step) }))
}

/** The next of 1, 2, 5 times a power of ten. */
function niceCeiling (value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power
}

function formatValue (value: number): string {
  return value >= 10_000 ? `${clean(value / 1000)}k` : String(clean(value))
}

function clean (value: number): number {
  return Number(value.toPrecision(6)) // 0.30000000000000004 is 0.3
}
