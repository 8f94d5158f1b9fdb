import { build, type Histogram } from 'hdr-histogram-js'

/** In ms; zeros where nothing was counted. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const MICROSECONDS_MAX = 24 * 3_600_000_000

/** Kept in microseconds, three digits exact, up to a day. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1, highestTrackableValue: MICROSECONDS_MAX, numberOfSignificantValueDigits: 3
  })

  record (ms: number): void {
    this.#histogram.recordValue(Math.min(MICROSECONDS_MAX, Math.max(0, Math.round(ms * 1000))))
  }

  reset (): void {
    this.#histogram.reset()
  }

  get percentiles (): Percentiles {
    const { totalCount, maxValue } = this.#histogram
    // A value stands for all that share its three digits, and may be above the largest there was.
    const at = (percentile: number): number =>
      Math.min(maxValue, this.#histogram.getValueAtPercentile(percentile)) / 1000
    return { count: totalCount, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: maxValue / 1000 }
  }
}
