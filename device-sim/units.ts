// Units as people write them. Each parser gives undefined for foreign input.

const DURATION_MS = units({ ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 })
const SIZE_BYTES = units({
  '': 1, b: 1, kb: 1000, mb: 1_000_000, gb: 1_000_000_000, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3
})
const RATE_SECONDS = units({ s: 1, sec: 1, m: 60, min: 60, h: 3600 })
const SPEED_BITS = units({ bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 })

/** `60s`, `500ms`, `5m`, `1.5h`, in ms. */
export function parseDurationMs (text: string): number | undefined {
  const [amount, unit] = split(text)
  const factor = DURATION_MS.get(unit)
  return amount === undefined || factor === undefined ? undefined : amount * factor
}

/** `250KB` is 250,000 bytes, `250KiB` is 256,000; a bare number is bytes. */
export function parseSizeBytes (text: string): number | undefined {
  const [amount, unit] = split(text)
  const factor = SIZE_BYTES.get(unit)
  return amount === undefined || factor === undefined ? undefined : Math.round(amount * factor)
}

/** `2/min`, `0.5/s`, `10/h`, in events a second. */
export function parseRatePerSecond (text: string): number | undefined {
  const [count, unit, ...more] = text.split('/')
  const [amount, rest] = split(count ?? '')
  const seconds = RATE_SECONDS.get((unit ?? '').trim().toLowerCase())
  const isRate = rest === '' && more.length === 0 && amount !== 0
  return amount === undefined || seconds === undefined || !isRate ? undefined : amount / seconds
}

/** `40Mbit`, `512kbit`, `40Mbit/s`, in bytes a second. */
export function parseSpeed (text: string): number | undefined {
  const [amount, unit] = split(text.replace(/\/s$/, ''))
  const bits = SPEED_BITS.get(unit)
  return amount === undefined || amount === 0 || bits === undefined ? undefined : amount * bits / 8
}

/** `20%` or `0.2`, 0 to 1. */
export function parseShare (text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim())
  const share = match === null ? NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  return share >= 0 && share <= 1 ? share : undefined
}

// An object would also know a unit "constructor".
function units (factors: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(factors))
}

function split (text: string): readonly [amount: number | undefined, unit: string] {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  return match === null ? [undefined, ''] : [Number(match[1]), (match[2] ?? '').toLowerCase()]
}
