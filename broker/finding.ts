import type { StrictRefusal } from './strict.ts'

/** What the guard saw. Each but `disconnect` and `held-back` has cut the connection. */
export type Finding =
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'too-large', readonly type: number, readonly declaredBytes: number, readonly bytesMax: number }
  /** Over WebSocket, whose messages are kept whole before their packets are seen. */
  | { readonly kind: 'message-too-long', readonly bytesMax: number }
  | { readonly kind: 'not-connect', readonly firstByte: number }
  | { readonly kind: 'malformed' }
  | StrictRefusal
  | { readonly kind: 'connect-late' }
  /** For longer than its keep alive. */
  | { readonly kind: 'silent' }
  /** It was not known in time who it is. */
  | { readonly kind: 'verified-late' }
  /** Without a keep alive. */
  | { readonly kind: 'idle' }
  /** Nothing more is read of it for so long. */
  | { readonly kind: 'held-back', readonly limit: 'messages_per_second' | 'bytes_per_second' | 'in_flight', readonly ms?: number }
  /** In the middle of a packet. */
  | { readonly kind: 'stuck' }
