import type { DeviceId, ImageId } from '../../broker/topics.ts'

/** What must become of an image that was PUBACKed. */
export type Expectation =
  | 'stored'
  /** It is no image, and was sent to see that it is not stored. */
  | 'refused'
  /** Too large for some and not for others. */
  | 'either'

export interface SentImage {
  readonly device: DeviceId
  /** Its name, whether or not it was sent under it. */
  readonly imageId: ImageId
  readonly bytes: number
  /** Hex, of the image itself, whatever it was wrapped in. */
  readonly sha256: string
  /** ms since epoch. */
  readonly plannedAt: number
  readonly expect: Expectation
}

/** An image that the receiver has taken responsibility for. */
export interface Acknowledged extends SentImage {
  /** ms since epoch. */
  readonly ackedAt: number
}

/** Why a device no longer has an image that was not PUBACKed. */
export type Loss = 'full' | 'power' | 'too-large'

/** Everything a device does that is worth counting. Plain data: it may come from another process. */
export type DeviceEvent =
  | { readonly kind: 'connected', readonly isAgain: boolean }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connect-failed', readonly device: DeviceId, readonly reason: string }
  /** Its lag is undefined in a closed loop, which has no plan to lag behind. */
  | { readonly kind: 'captured', readonly plannedAt: number, readonly lagMs: number | undefined }
  | { readonly kind: 'dropped', readonly why: Loss }
  /** Before the first byte is on its way. */
  | { readonly kind: 'sent', readonly image: SentImage, readonly isAgain: boolean }
  | { readonly kind: 'acknowledged', readonly image: Acknowledged, readonly sentAt: number }
  /** A PUBACK for an image that had one. */
  | { readonly kind: 'repeated' }
  /** How late a timer of the simulator was, where no plan of captures shows it. */
  | { readonly kind: 'lagged', readonly lagMs: number }

export type Observe = (event: DeviceEvent) => void
