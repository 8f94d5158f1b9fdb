import { createHash } from 'node:crypto'
import { crc32 } from '../crc32.ts'
import type { DeviceId, ImageId } from '../../broker/topics.ts'
import type { Arrival, Lane } from '../entry.ts'
import type { Format, RefusalReason } from '../events.ts'
import { looksLikeEnvelope, readEnvelope, type Fault } from './envelope.ts'

/** An image somebody wants us to take, over MQTT or HTTP. */
export interface Offer {
  /** Undefined where only the envelope says. */
  readonly deviceId: DeviceId | undefined
  readonly imageId: ImageId | undefined
  readonly topic: string
  readonly payload: Buffer
  /** What the sender asks for beside the payload. */
  readonly lane?: Lane | undefined
}

/** What an offer turned out to be: an image with a name, whose type is still to be seen. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly format: Format
  readonly image: Buffer
  readonly arrival: Omit<Arrival, 'contentType' | 'receivedAt'>
}

export interface Refused {
  readonly kind: 'refused'
  readonly format: Format
  readonly deviceId: DeviceId | undefined
  readonly imageId: ImageId | undefined
  readonly fault: Fault
}

/** Raw bytes and envelopes are told apart by their first bytes. */
export function readOffer (offer: Offer, imageKey: string): Candidate | Refused {
  return looksLikeEnvelope(offer.payload) ? openEnvelope(offer, imageKey) : readRaw(offer)
}

function readRaw ({ deviceId, imageId, topic, payload, lane }: Offer): Candidate | Refused {
  if (payload.length === 0) {
    return refused('raw', deviceId, imageId, { reason: 'empty', detail: 'the payload has no bytes' })
  }
  if (deviceId === undefined) {
    return refused('raw', deviceId, imageId, { reason: 'bad_id', detail: 'nothing says which device it comes from' })
  }
  const nothing = { capturedAt: undefined, meta: undefined, sha256: undefined }
  return name('raw', payload, { deviceId, imageId, sourceTopic: topic, lane, ...nothing })
}

function openEnvelope (offer: Offer, imageKey: string): Candidate | Refused {
  const outcome = readEnvelope(offer.payload, imageKey)
  if (outcome.kind === 'fault') {
    return refused('json', offer.deviceId, offer.imageId ?? outcome.imageId, outcome.fault)
  }
  const { image, capturedAt, meta, sha256, ...named } = outcome.envelope
  const deviceId = offer.deviceId ?? named.deviceId
  const imageId = offer.imageId ?? named.imageId
  const refuse = (reason: RefusalReason, detail: string): Refused =>
    refused('json', deviceId, imageId, { reason, detail })
  if (deviceId === undefined) return refuse('bad_id', 'neither the request nor the envelope names the device')
  if (named.deviceId !== undefined && named.deviceId !== deviceId) {
    return refuse('id_mismatch', `sent as ${deviceId}, the envelope says ${named.deviceId}`)
  }
  if (named.imageId !== undefined && named.imageId !== imageId) {
    return refuse('id_mismatch', `sent as ${imageId ?? 'no id'}, the envelope says ${named.imageId}`)
  }
  if (sha256 !== undefined && sha256 !== hash(image)) {
    return refuse('checksum_mismatch', `the image has SHA-256 ${hash(image)}, the envelope says ${sha256}`)
  }
  const lane = offer.lane ?? named.lane
  return name('json', image, { deviceId, imageId, sourceTopic: offer.topic, capturedAt, meta, sha256, lane })
}

type Named = Omit<Candidate['arrival'], 'imageId' | 'bytes' | 'crc32'> & { readonly imageId: ImageId | undefined }

/** SHA-256 costs four times what CRC-32 does, and is taken here only where the image needs a name. */
function name (format: Format, image: Buffer, named: Named): Candidate {
  const sha256 = named.sha256 ?? (named.imageId === undefined ? hash(image) : undefined)
  const imageId = named.imageId ?? sha256?.slice(0, 32) as ImageId // hex digits are in the alphabet
  return { kind: 'candidate', format, image, arrival: { ...named, imageId, sha256, bytes: image.length, crc32: crc32(image) } }
}

/** By the first bytes it is none of the types that are taken. */
export function foreignType (contentType: string | undefined, image: Buffer, imageTypes: readonly string[]): Fault {
  const found = contentType ?? `nothing known (it begins ${image.subarray(0, 8).toString('hex')})`
  return { reason: 'not_an_image', detail: `by its first bytes it is ${found}, taken are ${imageTypes.join(', ')}` }
}

/** Hex. */
export function hash (image: Buffer): string {
  return createHash('sha256').update(image).digest('hex')
}

function refused (
  format: Format, deviceId: DeviceId | undefined, imageId: ImageId | undefined, fault: Fault
): Refused {
  return { kind: 'refused', format, deviceId, imageId, fault }
}
