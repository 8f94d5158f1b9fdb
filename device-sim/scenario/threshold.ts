// A condition on the outcome of a run, as `e2e_p99<10s` or `lost==0`.

import { parseDurationMs } from '../units.ts'

const LATENCIES = ['puback', 'send', 'e2e', 'lag'] as const
const POINTS = ['p50', 'p90', 'p99', 'p999', 'max'] as const
/** Counts of images, which may also be given as a share of those captured: `dropped<1%`. */
const COUNTS = ['lost', 'duplicated', 'corrupted', 'unexpected', 'dropped', 'unfinished', 'acknowledged'] as const
const NUMBERS = ['reconnects', 'connect_failures', 'images_per_second'] as const
const COMPARISONS = ['<=', '>=', '==', '<', '>'] as const

export type Latency = typeof LATENCIES[number]
export type Point = typeof POINTS[number]
export type Measure = typeof COUNTS[number] | typeof NUMBERS[number]

export type Metric =
  /** In ms. */
  | { readonly kind: 'latency', readonly of: Latency, readonly point: Point }
  | { readonly kind: 'number', readonly name: Measure, readonly isShare: boolean }

export interface Threshold {
  /** As it was written. */
  readonly text: string
  readonly metric: Metric
  readonly comparison: typeof COMPARISONS[number]
  /** In ms, a count, or a share of those captured. */
  readonly limit: number
}

export const THRESHOLD_HELP = `${LATENCIES.join(', ')} with _${POINTS.join(', _')} and a time; ` +
  `${[...COUNTS, ...NUMBERS].join(', ')} with a number`

export function parseThreshold (text: string): Threshold | undefined {
  const match = /^([a-z0-9_]+)\s*(<=|>=|==|<|>)\s*(\S+)$/.exec(text)
  if (match === null) return undefined
  const [, name = '', sign, value = ''] = match
  const comparison = COMPARISONS.find((each) => each === sign)
  const of = LATENCIES.find((each) => name.startsWith(`${each}_`))
  const point = POINTS.find((each) => name === `${of}_${each}`)
  const limit = point === undefined ? parseAmount(value) : parseDurationMs(value)
  if (comparison === undefined || limit === undefined) return undefined
  if (of !== undefined && point !== undefined) return { text, metric: { kind: 'latency', of, point }, comparison, limit }
  const measure = [...COUNTS, ...NUMBERS].find((each) => each === name)
  const isShare = value.endsWith('%')
  if (measure === undefined || (isShare && NUMBERS.some((each) => each === measure))) return undefined
  return { text, metric: { kind: 'number', name: measure, isShare }, comparison, limit }
}

export function holds ({ comparison, limit }: Threshold, value: number): boolean {
  switch (comparison) {
    case '<': return value < limit
    case '<=': return value <= limit
    case '>': return value > limit
    case '>=': return value >= limit
    case '==': return value === limit
  }
}

function parseAmount (text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  return match === null ? undefined : Number(match[1]) / (match[2] === '%' ? 100 : 1)
}
