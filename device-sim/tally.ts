import { build, type Histogram } from 'hdr-histogram-js'
import type { Acknowledged, DeviceEvent } from './events.ts'
import type { Percentiles } from './report.ts'

/** Counts what devices do. Percentiles are kept in microseconds, three digits exact, up to an hour. */
export class Tally {
  captured = 0
  sent = 0
  dropped = 0
  connected = 0
  reconnects = 0
  acknowledgedBytes = 0
  connectFailures = 0
  /** The latest of them, in words. */
  lastFailure: string | undefined
  readonly acknowledged: Acknowledged[] = []
  /** SHA-256 and bytes of what was sent and has no PUBACK yet. The receiver may have it all the same. */
  readonly unacknowledged = new Map<string, number>()
  readonly fromPlan = new Latencies()
  readonly fromSend = new Latencies()
  readonly lag = new Latencies()

  /** Captured, and neither PUBACKed nor dropped. */
  get unfinished (): number {
    return this.captured - this.acknowledged.length - this.dropped
  }

  observe (event: DeviceEvent): void {
    switch (event.kind) {
      case 'connected':
        this.connected++
        if (event.isAgain) this.reconnects++
        break
      case 'disconnected':
        this.connected--
        break
      case 'connect-failed':
        this.connectFailures++
        this.lastFailure = `${event.device}: ${event.reason}`
        break
      case 'captured':
        this.captured++
        this.lag.record(event.lagMs)
        break
      case 'dropped':
        this.dropped++
        break
      case 'sent':
        if (!event.isAgain) this.sent++
        this.unacknowledged.set(event.sha256, event.bytes)
        break
      case 'acknowledged': {
        const { image, sentAt } = event
        this.acknowledged.push(image)
        this.unacknowledged.delete(image.sha256)
        this.acknowledgedBytes += image.bytes
        this.fromPlan.record(image.ackedAt - image.plannedAt)
        this.fromSend.record(image.ackedAt - sentAt)
        break
      }
    }
  }
}

const MICROSECONDS_MAX = 3_600_000_000

class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1, highestTrackableValue: MICROSECONDS_MAX, numberOfSignificantValueDigits: 3
  })

  record (ms: number): void {
    this.#histogram.recordValue(Math.min(MICROSECONDS_MAX, Math.max(0, Math.round(ms * 1000))))
  }

  get percentiles (): Percentiles {
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / 1000
    const { totalCount, maxValue } = this.#histogram
    return { count: totalCount, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: maxValue / 1000 }
  }
}
