// The whole configuration, resolved: numbers in base units, defaults filled in. Read once in main;
// every part is handed the numbers it needs and none reads configuration itself.

import type { LaneRule, LaneShares } from './lanes.ts'

export interface Config {
  readonly dataDir: string
  readonly mqtt: {
    readonly listen: Address
    readonly topicPrefix: string
    readonly maxPacketSize: number
    readonly memoryBudget: number
    readonly maxConnections: number
  }
  readonly auth: { readonly anonymous: 'loopback' | 'always' | 'never' }
  readonly intake: {
    readonly imageTypes: readonly string[]
    readonly imageKey: string
    readonly dedupWindowMs: number
    /** How long a PUBACK is withheld before the connection is closed. */
    readonly withholdMs: number
  }
  readonly spool: {
    readonly dir: string
    readonly segmentSize: number
    readonly limit: number
    /** Bytes kept free on the volume, for recovery. */
    readonly reserve: number
  }
  readonly s3: {
    /** Undefined: the local store. */
    readonly endpoint: string | undefined
    readonly local: boolean
    readonly region: string
    readonly bucket: string
    readonly pathStyle: 'auto' | boolean
    readonly key: string
    readonly ifNoneMatch: boolean
    readonly integrity: 'sha256' | 'md5' | 'crc32'
    readonly accessKeyId: string | undefined
    readonly secretAccessKey: string | undefined
  }
  readonly localStore: { readonly listen: Address, readonly dir: string }
  readonly uplink: {
    /** Bits per second. */
    readonly capacity: number
    /** 0 to 1. */
    readonly share: number
    /** 0 to 1. */
    readonly overhead: number
    readonly concurrency: number
    readonly order: 'fair' | 'oldest' | 'newest' | 'newest-per-device'
    readonly lanes: LaneShares
    readonly laneRules: readonly LaneRule[]
    readonly timeoutMs: number
  }
  readonly slo: { readonly targetMs: number, readonly objective: number }
  readonly http: { readonly listen: Address, readonly token: string | undefined }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error', readonly format: 'auto' | 'json' | 'text' }
  readonly shutdown: { readonly graceMs: number }
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Bytes per second that may cross the wire to the store. */
export function allowance (uplink: Config['uplink']): number {
  return uplink.capacity / 8 * uplink.share * (1 - uplink.overhead)
}
