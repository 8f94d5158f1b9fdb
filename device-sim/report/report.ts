import type { Acknowledged, SentImage } from '../devices/events.ts'
import type { SimulatorError } from '../errors.ts'
import type { Percentiles } from '../run/latencies.ts'

/** How many images came how far. planned >= captured = PUBACKed + dropped + unfinished. */
export interface Counts {
  /** Due within the run. */
  readonly planned: number
  readonly captured: number
  /** Sent at least once. */
  readonly sent: number
  readonly acknowledged: number
  /** Gone at the device before a PUBACK: overwritten in its queue, forgotten without power, or too large. */
  readonly dropped: number
  /** Waiting or in flight when the run ended; in no percentile. */
  readonly unfinished: number
}

/** How a run stands, once a second. */
export interface Progress {
  readonly seconds: number
  readonly phase: string
  readonly devices: number
  readonly connected: number
  readonly reconnects: number
  readonly counts: Counts
  /** Objects new in the store; undefined where nobody looks. */
  readonly stored: number | undefined
  readonly fromPlan: Percentiles
  readonly lag: Percentiles
}

/** A point of the charts. */
export interface Sample {
  readonly seconds: number
  readonly connected: number
  readonly captured: number
  readonly acknowledged: number
  readonly unfinished: number
  readonly stored: number | undefined
  /** PUBACKs since the last sample, from their planned captures, in ms. */
  readonly p50: number
  readonly p99: number
}

export interface PhaseReport {
  readonly name: string
  /** Since the start of the captures. */
  readonly fromSeconds: number
  readonly seconds: number
  readonly captured: number
  readonly acknowledged: number
  readonly fromPlan: Percentiles
}

/** A SimulatorError as plain data. */
export interface Fault {
  readonly code: SimulatorError['code']
  readonly message: string
}

export function readFault ({ code, message }: SimulatorError): Fault {
  return { code, message }
}

export interface Report {
  readonly run: string
  readonly scenario: string
  readonly target: string
  readonly model: 'open' | 'closed'
  readonly devices: number
  readonly images: string
  /** ms since epoch. */
  readonly startedAt: number
  /** From the start to the last capture or PUBACK. */
  readonly seconds: number
  readonly isInterrupted: boolean
  /** False where the simulator itself lagged, and its latencies say more about it than about the receiver. */
  readonly isValid: boolean
  /** What failed of what the run is made of; its numbers say nothing of the receiver then. */
  readonly faults: readonly Fault[]
  readonly counts: Counts
  /** Of those dropped: by a full queue, by a loss of power, given up as too large. */
  readonly drops: { readonly full: number, readonly power: number, readonly 'too-large': number }
  /** PUBACKs of images that had one, where images are sent twice. */
  readonly repeated: number
  readonly acknowledgedBytes: number
  readonly imagesPerSecond: number
  /** From the planned capture to the PUBACK. */
  readonly fromPlan: Percentiles
  /** From the last send to the PUBACK. */
  readonly fromSend: Percentiles
  /** From the planned capture to the capture: the simulator's own fault. */
  readonly lag: Percentiles
  readonly reconnects: number
  /** Connections that were tried and not opened, and why the latest was not. */
  readonly connectFailures: number
  readonly lastFailure: string | undefined
  readonly phases: readonly PhaseReport[]
  readonly samples: readonly Sample[]
  readonly evidence: Evidence
}

/** What a judge needs to know of a run. */
export interface Evidence {
  readonly run: string
  /** ms since epoch. */
  readonly startedAt: number
  /** ms since epoch; images planned before it are in no percentile. */
  readonly measuredFrom: number
  readonly acknowledged: readonly Acknowledged[]
  /** What was sent without a PUBACK, by SHA-256. Such images may be in the store or not. */
  readonly unacknowledged: ReadonlyMap<string, SentImage>
}

/** The schedule lag, at the 99th percentile, above which latencies are not to be trusted. */
export const LAG_MS_MAX = 50
