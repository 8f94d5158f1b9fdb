import type { LineState } from './breaker.ts'

export interface UplinkLevels {
  /** Sequences of the entries whose put is under way. */
  readonly uploading: ReadonlySet<number>
  /** Sequences of the entries that were tried and wait for another attempt. */
  readonly retrying: ReadonlySet<number>
  readonly uploadingBytes: number
  readonly retryingBytes: number
  readonly bytesPerSecond: number
  /** What the line was seen to carry, where that is less than the allowance. */
  readonly carriedBytesPerSecond: number | undefined
  readonly concurrency: number
  readonly state: LineState
  readonly heldSeconds: number
  /** ms since epoch. */
  readonly lastStoredAt: number | undefined
}
