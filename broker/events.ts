import type { Kept } from './custody.ts'

/** What happened at the listener. Synchronous, and a listener must never throw. */
export type BrokerEvent =
  | { readonly kind: 'client-connected', readonly clientId: string }
  | { readonly kind: 'connect-refused', readonly result: ConnectRefusal, readonly remote: string, readonly detail: string }
  /** `detail` where there is more to say than the reason. */
  | {
    readonly kind: 'client-disconnected'
    readonly clientId: string
    readonly reason: DisconnectReason
    readonly detail?: string
  }
  | { readonly kind: 'publish-received', readonly qos: 0 | 1 | 2 }
  /** An image, from the complete PUBLISH to its PUBACK (QoS 1) or PUBREC (QoS 2). */
  | { readonly kind: 'publish-acknowledged', readonly seconds: number, readonly entry?: Kept | undefined }
  /** A declared length over the limit; the connection was cut before the payload was read. */
  | {
    readonly kind: 'packet-too-large'
    readonly packet: LimitedPacket
    readonly remote: string
    readonly clientId: string | undefined
    readonly declaredBytes: number
    readonly bytesMax: number
  }
  /** A PUBLISH to this topic was acknowledged and dropped. */
  | { readonly kind: 'topic-refused', readonly clientId: string, readonly topic: string, readonly detail: string }
  /** A SUBSCRIBE to this filter was answered 128. */
  | { readonly kind: 'subscription-refused', readonly clientId: string, readonly filter: string, readonly detail: string }
  /** A client met a limit; what that meant for it is in `detail`. */
  | { readonly kind: 'limit-reached', readonly limit: LimitName, readonly who: string, readonly detail: string }

/** Each has a limit of its own; `control` is every packet but the two. */
export type LimitedPacket = 'CONNECT' | 'PUBLISH' | 'control'

export type ConnectRefusal =
  'bad_credentials' | 'not_authorized' | 'unsupported_protocol' | 'bad_client_id' | 'over_limit' | 'timeout'

export type DisconnectReason =
  'client' | 'keepalive' | 'socket_error' | 'takeover' | 'refused' | 'slow_consumer' | 'operator' | 'expired' | 'shutdown'

/** As in the settings of mqtt.limits, where one is there; `sluice_mqtt_limits_reached_total` counts by them. */
export const LIMIT_NAMES = [
  'connections', 'connections_per_address', 'handshake', 'connect_bytes', 'packet_bytes', 'control_bytes',
  'messages_per_second', 'bytes_per_second', 'in_flight', 'topic_depth', 'topic_length', 'subscriptions',
  'sessions', 'sessions_per_user', 'idle', 'progress', 'verifying'
] as const
export type LimitName = typeof LIMIT_NAMES[number]

/** Levels, read from their owner when somebody asks. */
export interface BrokerLevels {
  /** Clients that were sent a CONNACK and are there. */
  readonly connections: number
  readonly pubacksPending: number
  /** Since the start, on all sockets. */
  readonly receivedBytes: number
  readonly sentBytes: number
}
