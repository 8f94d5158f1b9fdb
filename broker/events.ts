import type { Kept } from './custody.ts'
import type { Traffic } from './traffic.ts'

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
  | { readonly kind: 'publish-acknowledged', readonly seconds: number, readonly entry?: Kept | undefined, readonly clientId?: string }
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
  | { readonly kind: 'topic-refused', readonly clientId: string, readonly topic: string, readonly reason: TopicRefusal, readonly detail: string }
  /** A SUBSCRIBE to this filter was answered 128. */
  | { readonly kind: 'subscription-refused', readonly clientId: string, readonly filter: string, readonly reason: FilterRefusal, readonly detail: string }
  /** A client met a limit; what that meant for it is in `detail`. */
  | { readonly kind: 'limit-reached', readonly limit: LimitName, readonly who: string, readonly detail: string }

/** Each has a limit of its own; `control` is every packet but the two. */
export type LimitedPacket = 'CONNECT' | 'PUBLISH' | 'control'

export type TopicRefusal = 'bad_topic' | 'not_authorized' | 'no_room'
export type FilterRefusal = 'bad_filter' | 'not_authorized' | 'too_many'

export type ConnectRefusal =
  'bad_credentials' | 'not_authorized' | 'unsupported_protocol' | 'bad_client_id' | 'over_limit' | 'timeout'

export type DisconnectReason =
  'client' | 'keepalive' | 'socket_error' | 'takeover' | 'refused' | 'slow_consumer' | 'operator' | 'expired' | 'shutdown'

/** As in the settings of mqtt.limits, where one is there; `sluice_mqtt_limits_reached_total` counts by them. */
export const LIMIT_NAMES = [
  'connections', 'connections_per_address', 'handshake', 'connect_bytes', 'packet_bytes', 'control_bytes',
  'messages_per_second', 'bytes_per_second', 'in_flight', 'topic_depth', 'topic_length', 'subscriptions',
  'sessions', 'sessions_per_user', 'session_messages', 'session_bytes', 'sessions_bytes', 'retained_bytes', 'guesses_per_address', 'idle', 'progress', 'verifying'
] as const
export type LimitName = typeof LIMIT_NAMES[number]

/** Levels, read from their owner when somebody asks. */
export interface BrokerLevels extends Readonly<Traffic> {
  /** Clients that were sent a CONNACK and are there. */
  readonly connections: number
  /** The most of them at a time. */
  readonly connectionsMost: number
  /** Since the start. */
  readonly connected: number
  readonly socketsOpened: number
  /** Sessions that are kept for clients that are not there. */
  readonly sessionsAway: number
  readonly pubacksPending: number
  /** Of the clients that are there. */
  readonly subscriptions: number
  readonly retained: number
  readonly retainedBytes: number
  /** Messages that wait in sessions that are kept. */
  readonly queued: number
  readonly queuedBytes: number
  /** Since the start: messages between clients that a full session did not get. */
  readonly messagesDropped: number
}
