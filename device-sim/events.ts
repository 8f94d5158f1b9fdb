import type { DeviceId, ImageId } from '../broker/topics.ts'

/** An image that the receiver has taken responsibility for. */
export interface Acknowledged {
  readonly device: DeviceId
  /** Undefined where images are sent without names. */
  readonly imageId: ImageId | undefined
  readonly bytes: number
  /** Hex, of the image itself, whatever it was wrapped in. */
  readonly sha256: string
  /** ms since epoch. */
  readonly plannedAt: number
  /** ms since epoch. */
  readonly ackedAt: number
}

/** Everything a device does that is worth counting. */
export type DeviceEvent =
  | { readonly kind: 'connected', readonly isAgain: boolean }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connect-failed', readonly device: DeviceId, readonly reason: string }
  | { readonly kind: 'captured', readonly lagMs: number }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'sent', readonly sha256: string, readonly bytes: number, readonly isAgain: boolean }
  | { readonly kind: 'acknowledged', readonly image: Acknowledged, readonly sentAt: number }

export type Observe = (event: DeviceEvent) => void
