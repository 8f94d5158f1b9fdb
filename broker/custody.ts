// What the broker hands over and what it is told. The broker knows no disk: it is given takeCustody.

import type { DeviceId, ImageId } from './topics.ts'

/** One image as it came off the wire. Nobody but the device is responsible for it yet. */
export interface Publish {
  readonly deviceId: DeviceId
  /** From the topic; an envelope may name it later. */
  readonly imageId: ImageId | undefined
  readonly topic: string
  readonly payload: Buffer
}

/** The name under which an image is kept. */
export interface Kept {
  readonly deviceId: DeviceId
  readonly imageId: ImageId
}

/**
 * Who has the image now, and so what MQTT is told.
 *
 * - taken      durable here: PUBACK
 * - duplicate  was durable here already: PUBACK
 * - refused    will never be taken, whatever is sent again: PUBACK, and a note on the acks topic
 * - withheld   not now: no PUBACK; the connection is closed so that the device sends it again
 */
export type Custody =
  | { readonly kind: 'taken', readonly entry?: Kept }
  | { readonly kind: 'duplicate', readonly held?: { readonly entry: Kept } }
  | { readonly kind: 'refused', readonly reason: string }
  | { readonly kind: 'withheld', readonly reason: string }

/**
 * Resolving with `taken` is a promise that the image survives a crash and a loss of power. Rejects
 * on a bug only: the broker then acknowledges nothing and throws the error uncaught.
 */
export type TakeCustody = (publish: Publish) => Promise<Custody>
