import type { Entry, Held, Lane } from '../entry.ts'
import type { UplinkLevels } from '../uplink/uplink.ts'
import type { ImageState } from './image-query.ts'

/** An image as the API shows it. Times are RFC 3339; what is not known is absent. */
export interface ImageJson {
  readonly id: string
  readonly device: string
  readonly state: ImageState
  readonly lane: Lane
  /** An operator wants it sent before all lanes. */
  readonly prioritized?: true
  readonly bytes: number
  readonly contentType: string
  /** Hex; known from the upload on, earlier only where it had to be taken. */
  readonly sha256: string | undefined
  /** Eight hex digits. */
  readonly crc32: string
  readonly topic: string
  readonly capturedAt: string | undefined
  readonly receivedAt: string
  readonly uploadedAt?: string
  readonly bucket?: string
  readonly key?: string
  readonly etag?: string
  readonly failedAt?: string
  readonly reason?: string
  readonly detail?: string
  readonly attempts?: number
  /** How the first of several attempts failed. */
  readonly firstFailedAt?: string
  readonly firstReason?: string
  readonly firstDetail?: string
  readonly meta: Readonly<Record<string, string>> | undefined
  readonly links: { readonly self: string, readonly content?: string, readonly retry?: string }
}

export function formatImage (held: Held, uplink: UplinkLevels): ImageJson {
  const { entry } = held
  const self = imagePath(entry)
  return {
    id: entry.imageId,
    device: entry.deviceId,
    state: imageState(held, uplink),
    lane: entry.lane ?? 'normal',
    bytes: entry.bytes,
    contentType: entry.contentType,
    sha256: held.state === 'uploaded' ? held.upload.sha256 : entry.sha256,
    crc32: entry.crc32.toString(16).padStart(8, '0'),
    topic: entry.sourceTopic,
    capturedAt: entry.capturedAt === undefined ? undefined : formatTime(entry.capturedAt),
    receivedAt: formatTime(entry.receivedAt),
    ...fate(held),
    meta: entry.meta,
    links: {
      self,
      ...held.state === 'dropped' ? {} : { content: `${self}/content` },
      ...held.state === 'failed' ? { retry: `${self}/retry` } : {}
    }
  }
}

/** What waits may be on its way, or be waiting for its next attempt: that is known to the uplink alone. */
export function imageState ({ state, entry }: Held, { uploading, retrying }: UplinkLevels): ImageState {
  if (state !== 'waiting') return state
  if (uploading.has(entry.sequence)) return 'uploading'
  return retrying.has(entry.sequence) ? 'retrying' : 'waiting'
}

/** `device:image` names one image; neither alphabet has a colon, and both may stand in a path as they are. */
export function imageName ({ deviceId, imageId }: Pick<Entry, 'deviceId' | 'imageId'>): string {
  return `${deviceId}:${imageId}`
}

export function imagePath (entry: Pick<Entry, 'deviceId' | 'imageId'>): string {
  return `/api/v1/images/${imageName(entry)}`
}

function fate (held: Held): Partial<ImageJson> {
  switch (held.state) {
    case 'waiting':
      return held.prioritized === true ? { prioritized: true } : {}
    case 'dropped':
      return {}
    case 'uploaded': {
      const { uploadedAt, bucket, key, etag } = held.upload
      return { uploadedAt: formatTime(uploadedAt), bucket, key, etag }
    }
    case 'failed': {
      const { failedAt, reason, detail, attempts, first } = held.failure
      const last = { failedAt: formatTime(failedAt), reason, detail, attempts }
      if (first === undefined) return last
      const { failedAt: firstAt, reason: firstReason, detail: firstDetail } = first
      return { ...last, firstFailedAt: formatTime(firstAt), firstReason, firstDetail }
    }
  }
}

function formatTime (at: number): string {
  return new Date(at).toISOString()
}
