// How long images took, in buckets that grow by a twentieth: a percentile read from them is right to 2.5 %, and
// the longest month has no more than some hundred of them.

/** How many images are in each bucket; bucket n holds what took about 1.05^n seconds. */
export type Latencies = Readonly<Record<string, number>>

const GROWTH = Math.log(1.05)
/** A hundredth of a second, and thirty years. */
const [LOWEST, HIGHEST] = [-94, 423]

export function addLatency (latencies: Latencies, seconds: number, count = 1): Latencies {
  const bucket = Math.round(Math.log(Math.max(seconds, Number.MIN_VALUE)) / GROWTH)
  const key = String(Math.min(HIGHEST, Math.max(LOWEST, bucket)))
  return { ...latencies, [key]: (latencies[key] ?? 0) + count }
}

export function mergeLatencies (some: Latencies, others: Latencies): Latencies {
  const merged: Record<string, number> = { ...some }
  for (const [key, count] of Object.entries(others)) merged[key] = (merged[key] ?? 0) + count
  return merged
}

export function countLatencies (latencies: Latencies): number {
  return Object.values(latencies).reduce((sum, count) => sum + count, 0)
}

/**
 * Seconds within which that share of the images was in the store; `missing` of them are not, and stand behind all
 * others. Infinity where the share reaches into these, undefined where there is no image at all.
 */
export function quantile (latencies: Latencies, missing: number, share: number): number | undefined {
  const wanted = share * (countLatencies(latencies) + missing)
  if (wanted === 0) return undefined
  let reached = 0
  for (const [key, count] of Object.entries(latencies).sort(([a], [b]) => Number(a) - Number(b))) {
    reached += count
    if (reached >= wanted - 1e-9) return Math.exp(Number(key) * GROWTH)
  }
  return Infinity
}
