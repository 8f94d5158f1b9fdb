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

/** An image as it is stored, whatever it travels in. */
export interface Rendered {
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly sha256: string
}

/** The same capture gives the same bytes, so that a resend is a resend. */
export function render (capture: Capture, source: ImageSource, { group, index }: {
  readonly group: Group
  /** Of the device. */
  readonly index: number
}): Rendered {
  const parts = spoil(source.parts(capture.mark, index), capture.kind, group.oversizeBytes)
  return {
    parts,
    bytes: parts.reduce((sum, { length }) => sum + length, 0),
    sha256: capture.sha256 ?? hash(parts) // a resend of 9 MB is not hashed again
  }
}

/** What is sent: the image, or an envelope around it. */
export function wrap (capture: Capture, { parts, sha256 }: Rendered, isNamed: boolean): readonly Buffer[] {
  if (!capture.isEnvelope) return parts
  const { mark, imageId } = capture
  const capturedAt = new Date(mark.capturedAt).toISOString()
  const id = isNamed ? imageId : undefined
  // The JSON envelope of the wire contract.
  return [Buffer.from(JSON.stringify({ id, capturedAt, sha256, image: Buffer.concat(parts).toString('base64') }))]
}

function hash (parts: readonly Buffer[]): string {
  const sha256 = createHash('sha256')
  for (const part of parts) sha256.update(part)
  return sha256.digest('hex')
}

/** What no image starts with; the mark behind it stays, so that the judge knows it again. */
const NO_IMAGE = Buffer.from('this is not an image')

function spoil (parts: readonly Buffer[], kind: Capture['kind'], oversizeBytes: number): readonly Buffer[] {
  switch (kind) {
    case 'whole':
    case 'repeat': return parts
    case 'corrupt': return [NO_IMAGE, Buffer.concat(parts).subarray(NO_IMAGE.length)]
    case 'oversize': {
      const image = Buffer.concat(parts)
      return [Buffer.concat([image], Math.max(oversizeBytes, image.length))] // filled with zeros
    }
  }
}
