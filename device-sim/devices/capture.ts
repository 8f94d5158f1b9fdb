import { createHash } from 'node:crypto'
import { formatImageName, type Mark } from '../images/mark.ts'
import type { ImageSource } from '../images/image-source.ts'
import type { ImageId } from '../../broker/topics.ts'
import type { Group } from '../scenario/scenario.ts'
import type { Expectation } from './events.ts'

/** A picture taken, and not yet PUBACKed. Its bytes are made when it is sent. */
export interface Capture {
  readonly mark: Mark
  readonly plannedAt: number
  readonly imageId: ImageId
  readonly kind: 'whole' | 'repeat' | 'corrupt' | 'oversize'
  readonly isEnvelope: boolean
  /** Known once it was sent. */
  sha256?: string
  packetId?: number
  /** Connections that were lost while it was in flight. */
  cuts: number
}

export function createCapture (mark: Mark, plannedAt: number, group: Group): Capture {
  const { format, corruptEvery, oversizeEvery } = group
  const isNth = (every: number | undefined): boolean => every !== undefined && mark.number % every === 0
  return {
    mark,
    plannedAt,
    imageId: formatImageName(mark),
    kind: isNth(oversizeEvery) ? 'oversize' : isNth(corruptEvery) ? 'corrupt' : 'whole',
    // Spread evenly over a device's images, so that a share of 20 % is every fifth.
    isEnvelope: Math.floor(mark.number * format) > Math.floor((mark.number - 1) * format),
    cuts: 0
  }
}

export function expectationOf ({ kind }: Capture): Expectation {
  switch (kind) {
    case 'whole':
    case 'repeat': return 'stored'
    case 'corrupt': return 'refused'
    case 'oversize': return 'either'
  }
}

export interface Rendered {
  readonly payload: Buffer
  /** Of the image itself. */
  readonly bytes: number
  readonly sha256: string
}

/** The same capture gives the same bytes, so that a resend is a resend. */
export function render (capture: Capture, source: ImageSource, { group, index }: {
  readonly group: Group
  /** Of the device. */
  readonly index: number
}): Rendered {
  const image = spoil(source.render(capture.mark, index), capture.kind, group.oversizeBytes)
  const sha256 = capture.sha256 ?? createHash('sha256').update(image).digest('hex') // a resend of 9 MB is not hashed again
  const payload = capture.isEnvelope ? wrap(capture, { image, sha256, isNamed: group.ids }) : image
  return { payload, bytes: image.length, sha256 }
}

/** What no image starts with; the mark behind it stays, so that the judge knows it again. */
const NO_IMAGE = Buffer.from('this is not an image')

function spoil (image: Buffer, kind: Capture['kind'], oversizeBytes: number): Buffer {
  switch (kind) {
    case 'whole':
    case 'repeat': return image
    case 'corrupt': return Buffer.concat([NO_IMAGE, image.subarray(NO_IMAGE.length)])
    case 'oversize': return Buffer.concat([image], Math.max(oversizeBytes, image.length)) // filled with zeros
  }
}

// The JSON envelope of the wire contract.
function wrap ({ mark, imageId }: Capture, { image, sha256, isNamed }: {
  readonly image: Buffer
  readonly sha256: string
  readonly isNamed: boolean
}): Buffer {
  const capturedAt = new Date(mark.capturedAt).toISOString()
  const id = isNamed ? imageId : undefined
  return Buffer.from(JSON.stringify({ id, capturedAt, sha256, image: image.toString('base64') }))
}
