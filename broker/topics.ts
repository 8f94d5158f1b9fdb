// The wire contract between a device and Sluice, and nothing else. The simulator imports this file
// and no other of ours.
//
//   PUBLISH {prefix}/{deviceId}/images             QoS 1, raw image bytes or a JSON envelope
//   PUBLISH {prefix}/{deviceId}/images/{imageId}   the same; imageId is the idempotency key
//   PUBLISH {prefix}/{deviceId}/status             retained online/offline, the device's last will
//   SUBSCRIBE {prefix}/{deviceId}/acks             JSON notes from Sluice, QoS 1, not retained
//   SUBSCRIBE {prefix}/{deviceId}/config, /responses, and below: what others tell it, whom auth.aclFile lets
//
// MQTT packet identifiers are reused within a session, so they cannot name an image. The device
// does: imageId survives a DUP retransmission and a reconnect, which makes every later step idempotent.

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type DeviceId = Branded<'DeviceId'>
export type ImageId = Branded<'ImageId'>

export type DeviceTopic =
  | { readonly kind: 'image', readonly deviceId: DeviceId, readonly imageId: ImageId | undefined }
  | { readonly kind: 'acks', readonly deviceId: DeviceId }
  | { readonly kind: 'status', readonly deviceId: DeviceId }
  /** Somebody else's word to the device. */
  | { readonly kind: 'config' | 'responses', readonly deviceId: DeviceId }

/** What Sluice tells a device about one of its images, as JSON on its acks topic. */
export interface Note {
  readonly v: 1
  /** The imageId; absent where the image had none that could be read. */
  readonly id?: string
  readonly status: 'uploaded' | 'failed' | 'refused' | 'duplicate' | 'paused' | 'resumed'
  /** A stable code, such as `not_an_image` or `spool_full`. */
  readonly reason?: string
  /** A sentence for a person. */
  readonly detail?: string
  /** True where sending the same image again can succeed. */
  readonly retry?: boolean
  readonly key?: string
  readonly etag?: string
  readonly sha256?: string
  readonly bytes?: number
  readonly latencySeconds?: number
  /** RFC 3339, UTC. */
  readonly at: string
}

const DEVICE_ID = /^[A-Za-z0-9._~-]{1,64}$/
const IMAGE_ID = /^[A-Za-z0-9._~-]{1,128}$/
const EXTENSION = /\.(jpe?g|png|webp|gif|avif|hei[cf])$/i

export function parseDeviceId (text: string): DeviceId | undefined {
  return DEVICE_ID.test(text) && !isDots(text) ? text as DeviceId : undefined
}

/** A file extension is no part of the name: `a.jpg` and `a` are the same image. */
export function parseImageId (text: string): ImageId | undefined {
  const name = text.replace(EXTENSION, '')
  return IMAGE_ID.test(name) && !isDots(name) ? name as ImageId : undefined
}

export function parseDeviceTopic (topic: string, prefix: string): DeviceTopic | undefined {
  if (!topic.startsWith(`${prefix}/`)) return undefined
  const [device, word, name, ...more] = topic.slice(prefix.length + 1).split('/')
  const deviceId = parseDeviceId(device ?? '')
  if (deviceId === undefined) return undefined
  if (word === 'config' || word === 'responses') return { kind: word, deviceId }
  if (more.length > 0) return undefined
  if (word === 'images' && name === undefined) return { kind: 'image', deviceId, imageId: undefined }
  if (word === 'images' && name !== undefined) {
    const imageId = parseImageId(name)
    return imageId === undefined ? undefined : { kind: 'image', deviceId, imageId }
  }
  if ((word === 'acks' || word === 'status') && name === undefined) return { kind: word, deviceId }
  return undefined
}

export function formatImageTopic (prefix: string, deviceId: DeviceId, imageId?: ImageId): string {
  return imageId === undefined ? `${prefix}/${deviceId}/images` : `${prefix}/${deviceId}/images/${imageId}`
}

export function formatAcksTopic (prefix: string, deviceId: DeviceId): string {
  return `${prefix}/${deviceId}/acks`
}

export function formatStatusTopic (prefix: string, deviceId: DeviceId): string {
  return `${prefix}/${deviceId}/status`
}

// `.` and `..` are in the alphabet, and mean something else to every file system.
function isDots (text: string): boolean {
  return text === '.' || text === '..'
}
