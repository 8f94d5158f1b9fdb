// An image changes its name with its custodian: a Publish is the device's, an Entry is ours, an
// Object is the store's (broker/custody.ts, objects/object-store.ts).

import type { DeviceId, ImageId } from '../broker/topics.ts'

/** Priority classes of the uplink, the most urgent first. */
export const LANES = ['alarm', 'normal', 'bulk'] as const
export type Lane = typeof LANES[number]

/** An image in our custody: durable here, PUBACKed to the device, not yet in the object store. */
export interface Entry {
  /** Given at entry, never reused; its order is the order of acceptance. */
  readonly sequence: number
  readonly deviceId: DeviceId
  /** The device's own name for it, else the first 128 bits of the payload's SHA-256 in hex. */
  readonly imageId: ImageId
  readonly bytes: number
  /** CRC-32 (IEEE) of the payload, the record's checksum. */
  readonly crc32: number
  /** Hex; known at intake only where the image came without an id or with a digest of its own. */
  readonly sha256: string | undefined
  readonly contentType: string
  /** The MQTT topic, or the HTTP path. */
  readonly sourceTopic: string
  /** The device's clock, ms since epoch; metadata, never used for latency. */
  readonly capturedAt: number | undefined
  /** Acceptance, ms since epoch, our clock. */
  readonly receivedAt: number
  readonly meta: Readonly<Record<string, string>> | undefined
  /** Absent: normal, and in what earlier versions have written. */
  readonly lane?: Lane | undefined
}

export function isLane (value: unknown): value is Lane {
  return LANES.some((lane) => lane === value)
}

/** An entry before the spool gives it its sequence. */
export type Arrival = Omit<Entry, 'sequence'>

/** What the store answered, kept until the dedup window has passed. */
export interface Upload {
  readonly uploadedAt: number
  readonly bucket: string
  readonly key: string
  readonly etag: string
  readonly sha256: string
}

export interface Failure {
  readonly failedAt: number
  /** A stable code, such as `store_refused` or `corrupt`. */
  readonly reason: string
  readonly detail: string
  readonly attempts: number
  /** How its first attempt failed, where there were several. Rows of earlier versions have none. */
  readonly first?: FirstFailure
  /** Under which configuration of the store (store-identity.ts). Rows of earlier versions have none. */
  readonly store?: string
}

export interface FirstFailure {
  readonly failedAt: number
  readonly reason: string
  readonly detail: string
}

/** Where an image stands in the index. `uploading` and `retrying` are the uplink's, and never on disk. */
export type Held =
  /** `prioritized`: an operator wants it sent before all lanes. */
  | { readonly state: 'waiting', readonly entry: Entry, readonly prioritized?: true }
  | { readonly state: 'failed', readonly entry: Entry, readonly failure: Failure }
  | { readonly state: 'uploaded', readonly entry: Entry, readonly upload: Upload }
  | { readonly state: 'dropped', readonly entry: Entry }

/** Everything PUBACKed is in exactly one of these: acknowledged = uploaded + waiting + failed + dropped. */
export interface Ledger {
  readonly acknowledged: number
  readonly uploaded: number
  readonly waiting: number
  readonly failed: number
  /** Deleted by an operator; nothing else drops an image. */
  readonly dropped: number
}
