// Everything worth counting, logging or telling a device. One vocabulary; its readers are
// metrics.ts, log.ts, notes.ts and lives.ts, and no stage imports them.

import type { BrokerEvent } from '../broker/events.ts'
import type { DeviceId, ImageId } from '../broker/topics.ts'
import type { Entry, Failure, Upload } from './entry.ts'
import type { UnavailableReason } from './objects/object-store.ts'
import type { Sum } from './spool/accounts.ts'
import type { LimitAction, LimitAt } from './uplink/limits.ts'

export type Format = 'raw' | 'json'

/** Images refused for good, by reason. */
export type RefusalReason =
  | 'too_large' | 'empty' | 'bad_json' | 'missing_image' | 'bad_base64' | 'not_an_image'
  | 'checksum_mismatch' | 'bad_topic' | 'bad_id' | 'id_mismatch' | 'id_conflict' | 'bad_meta'

/** Why images are not acknowledged at present. */
export type PauseReason = 'spool_full' | 'disk_low' | 'storage_error' | 'shutdown'

/** As in the settings of http.limits; `sluice_http_limits_reached_total` counts by them. */
export const HTTP_LIMIT_NAMES = ['connections', 'connections_per_address', 'logins', 'logins_per_user'] as const
export type HttpLimitName = typeof HTTP_LIMIT_NAMES[number]

export type SpoolOperation = 'open' | 'write' | 'read' | 'delete' | 'index'

export type BridgeEvent =
  | BrokerEvent
  // Intake
  | { readonly kind: 'image-taken', readonly entry: Entry, readonly format: Format, readonly seconds: number }
  | { readonly kind: 'image-duplicate', readonly deviceId: DeviceId, readonly imageId: ImageId, readonly format: Format }
  | {
    readonly kind: 'image-refused',
    readonly deviceId: DeviceId | undefined,
    readonly imageId: ImageId | undefined
    readonly format: Format,
    readonly reason: RefusalReason,
    readonly detail: string
  }
  | {
    readonly kind: 'image-withheld',
    readonly deviceId: DeviceId,
    readonly imageId: ImageId | undefined
    readonly reason: PauseReason,
    readonly detail: string
  }
  // Spool
  | { readonly kind: 'spool-written', readonly entries: number, readonly bytes: number, readonly seconds: number }
  | { readonly kind: 'spool-read', readonly seconds: number }
  | { readonly kind: 'spool-fault', readonly operation: SpoolOperation, readonly cause: Error }
  | { readonly kind: 'spool-recovered', readonly waiting: number, readonly found: number, readonly seconds: number }
  /** Bytes on disk are not what was written; `detail` says what became of them, and what to do. */
  | { readonly kind: 'spool-damaged', readonly part: 'index' | 'segment' | 'set-aside', readonly detail: string }
  | { readonly kind: 'intake-paused', readonly reason: PauseReason, readonly detail: string }
  | { readonly kind: 'intake-resumed', readonly reason: PauseReason }
  // Uplink
  | { readonly kind: 'put-started', readonly entry: Entry, readonly attempt: number, readonly waitedSeconds: number }
  | {
    readonly kind: 'put-ended',
    readonly entry: Entry,
    readonly seconds: number,
    readonly detail: string
    readonly outcome: 'stored' | 'refused' | UnavailableReason
    /** Of the body, given to the kernel; headers and TLS not counted, and undefined where nobody counts. */
    readonly bodyBytesSent?: number | undefined
  }
  | { readonly kind: 'entry-uploaded', readonly entry: Entry, readonly upload: Upload, readonly seconds: number }
  | { readonly kind: 'entry-failed', readonly entry: Entry, readonly failure: Failure }
  | { readonly kind: 'entry-retried', readonly entry: Entry }
  | { readonly kind: 'entry-prioritized', readonly entry: Entry }
  | { readonly kind: 'entry-dropped', readonly entry: Entry }
  | { readonly kind: 'uplink-down', readonly reason: UnavailableReason, readonly detail: string, readonly retryInSeconds: number }
  | { readonly kind: 'uplink-up', readonly downSeconds: number }
  /** What may be sent from now on; `action` undefined where time or the configuration brought it about. */
  | ({ readonly kind: 'limit-changed', readonly action: LimitAction | undefined } & LimitAt)
  /** What an operator set would not survive a restart, or did not. */
  | { readonly kind: 'limits-not-kept', readonly detail: string }
  /** The local store's own fault: a full disk, a failed sync, a bug. */
  | { readonly kind: 'store-fault', readonly cause: Error }
  /** Something for the operator to look at that is no fault; `detail` says what to do. */
  | { readonly kind: 'operator-advised', readonly detail: string }
  /** What an advice was about is not so any more. */
  | { readonly kind: 'advice-over', readonly detail: string }
  /** What waits, once a minute; `detail` is the sentence. */
  | { readonly kind: 'backlog-waits', readonly waiting: Sum, readonly oldestSeconds: number, readonly detail: string }
  /** What is counted against slo.target is not on disk, or what was there cannot be read. */
  | { readonly kind: 'slo-not-kept', readonly detail: string }
  /** SIGHUP; a configuration with a problem changes nothing. */
  | { readonly kind: 'config-reloaded', readonly applied: boolean, readonly detail: string }
  // HTTP
  /** Somebody may not do what was asked for, or is not who was said. */
  | {
    readonly kind: 'caller-refused'
    readonly code: 'not_authorized' | 'forbidden' | 'crowded'
    readonly remote: string
    readonly route: string
    readonly detail: string
  }
  /** A caller met a limit; what that meant for it is in `detail`. */
  | { readonly kind: 'http-limit-reached', readonly limit: HttpLimitName, readonly who: string, readonly detail: string }
  /** `entry`: an image that the answer has acknowledged. */
  | {
    readonly kind: 'http-request'
    readonly route: string
    readonly code: number
    readonly seconds: number
    readonly entry?: Entry | undefined
  }

export type Observe = (event: BridgeEvent) => void
