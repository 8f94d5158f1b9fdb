// The whole configuration, resolved: numbers in base units, defaults filled in. Read once in main;
// every part is handed the numbers it needs and none reads configuration itself.

import type { HttpLimits } from './http-limits.ts'
import type { LaneRule, LaneShares } from './lanes.ts'
import type { MqttLimits } from './mqtt-limits.ts'
import type { ScheduleEntry } from './schedule.ts'

export interface Config {
  readonly dataDir: string
  readonly mqtt: {
    readonly listen: Address
    readonly tls: TlsFiles | undefined
    readonly ws: { readonly listen: Address | undefined, readonly tls: TlsFiles | undefined }
    readonly limits: MqttLimits
    readonly topicPrefix: string
    /** In sluice/{site}/state and the like. */
    readonly site: string
    /** 0: there is no $SYS/broker/. */
    readonly sysIntervalMs: number
    readonly maxPacketSize: number
    readonly memoryBudget: number
    readonly maxConnections: number
  }
  readonly auth: {
    readonly anonymous: 'loopback' | 'always' | 'never'
    readonly passwordFile: string | undefined
    readonly aclFile: string | undefined
    readonly operators: readonly string[]
    readonly viewers: readonly string[]
    readonly jwt: {
      readonly secretFile: string | undefined
      readonly publicKeyFile: string | undefined
      readonly jwksFile: string | undefined
      readonly issuer: string | undefined
      readonly audience: string | undefined
      readonly revokedFile: string | undefined
    }
  }
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
    readonly partSize: number
    readonly accessKeyId: string | undefined
    readonly secretAccessKey: string | undefined
  }
  readonly localStore: { readonly listen: Address, readonly dir: string }
  readonly uplink: {
    /** Bits per second; infinite where nothing is to be held back. */
    readonly capacity: number
    /** 0 to 1. */
    readonly share: number
    /** 0 to 1. */
    readonly overhead: number
    readonly schedule: readonly ScheduleEntry[]
    /** IANA's name. */
    readonly timeZone: string
    readonly concurrency: number
    /** 0 to 1. */
    readonly retryShare: number
    readonly order: 'fair' | 'oldest' | 'newest' | 'newest-per-device'
    readonly lanes: LaneShares
    readonly laneRules: readonly LaneRule[]
    readonly timeoutMs: number
  }
  readonly slo: { readonly targetMs: number, readonly objective: number }
  readonly http: { readonly listen: Address, readonly token: string | undefined, readonly limits: HttpLimits }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error', readonly format: 'auto' | 'json' | 'text' }
  readonly shutdown: { readonly graceMs: number }
}

/** A listener, with the PEM files that it speaks TLS with. */
export interface TlsFiles {
  readonly listen: Address
  readonly cert: string
  readonly key: string
  /** Each client needs a certificate that this one signed; its name is the device's. */
  readonly clientCa: string | undefined
  /** Revocation lists of the authorities up to that one. */
  readonly crl: string | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Users have passwords or tokens, over MQTT and over HTTP. */
export function hasUsers ({ passwordFile, jwt }: Config['auth']): boolean {
  return [passwordFile, jwt.secretFile, jwt.publicKeyFile, jwt.jwksFile].some((file) => file !== undefined)
}

/** Bytes per second that may cross the wire to the store, outside of the schedule; infinite where there is no limit. */
export function allowance (uplink: Config['uplink']): number {
  return uplink.capacity / 8 * uplink.share * (1 - uplink.overhead)
}

/** The same by the week, as uplink/timetable.ts takes it: what a share or a rate of the line comes to for uploads. */
export function timetable (uplink: Config['uplink']): {
  readonly entries: ReadonlyArray<Omit<ScheduleEntry, 'limit'> & { readonly bytesPerSecond: number }>
  readonly bytesPerSecond: number
  readonly timeZone: string
} {
  const { capacity, overhead, schedule, timeZone } = uplink
  const bits = ({ limit }: ScheduleEntry): number => {
    switch (limit.kind) {
      case 'share': return limit.share * capacity
      case 'rate': return limit.rate
      case 'off': return 0
    }
  }
  return {
    entries: schedule.map((entry) => {
      const { days, from, to } = entry
      return { days, from, to, bytesPerSecond: bits(entry) / 8 * (1 - overhead) }
    }),
    bytesPerSecond: allowance(uplink),
    timeZone
  }
}
