import type { Given, Knobs } from './schema.ts'
import type { Threshold } from './threshold.ts'

/** A whole run, in base units: ms, bytes, events a second. */
export interface Scenario {
  readonly name: string
  readonly about: string
  readonly target: Target
  readonly groups: readonly Group[]
  readonly phases: readonly Phase[]
  /** Of all phases together; Infinity where only the limit ends the run. */
  readonly durationMs: number
  /** Images of all devices together. */
  readonly limit: number
  /** Captures planned before this are in no percentile. */
  readonly warmupMs: number
  readonly drainMs: number
  readonly model: 'open' | 'closed'
  readonly connectsPerSecond: number
  readonly stormMs: number | undefined
  readonly seed: number
  readonly workers: number
  readonly uplink: Uplink | undefined
  readonly thresholds: readonly Threshold[]
  readonly allowRemote: boolean
}

export interface Target {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  /** Paths of PEM files. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

export interface Group extends Omit<Given['devices'][number], 'rate' | 'interval' | 'topic'> {
  readonly ratePerSecond: number
  readonly topic: string
}

export interface Phase {
  readonly name: string
  readonly forMs: number
  /** Times the rate of every device. */
  readonly load: number
}

export interface Uplink extends Omit<Knobs, 'outage'> {
  readonly events: ReadonlyArray<Knobs & { readonly at: number, readonly for: number }>
}

export function deviceCount ({ groups }: Pick<Scenario, 'groups'>): number {
  return groups.reduce((sum, { count }) => sum + count, 0)
}

/** `sim-0001`, `sim-0002`; more digits where it takes them. */
export function formatDeviceNumber (prefix: string, number: number): string {
  return prefix + String(number).padStart(4, '0')
}
