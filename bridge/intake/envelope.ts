// The JSON envelope, for devices that cannot send bare bytes or have more to say:
//
//   {"image": base64, "id"?, "device"?, "capturedAt"?, "sha256"?, "seq"?, "meta"?, "lane"?}
//
// `device` counts only where the transport does not name it. Keys not listed are ignored, so that a
// device may be ahead of us.

import { parseDeviceId, parseImageId, type DeviceId, type ImageId } from '../../broker/topics.ts'
import { isLane, LANES, type Lane } from '../entry.ts'
import type { RefusalReason } from '../events.ts'
import { parseObject } from '../json.ts'

export interface Envelope {
  readonly image: Buffer
  readonly imageId: ImageId | undefined
  readonly deviceId: DeviceId | undefined
  /** ms since epoch, the device's clock. */
  readonly capturedAt: number | undefined
  /** Hex, lower case. */
  readonly sha256: string | undefined
  readonly meta: Readonly<Record<string, string>> | undefined
  readonly lane: Lane | undefined
}

export interface Fault {
  readonly reason: RefusalReason
  readonly detail: string
}

export type EnvelopeOutcome =
  | { readonly kind: 'envelope', readonly envelope: Envelope }
  | { readonly kind: 'fault', readonly fault: Fault, readonly imageId: ImageId | undefined }

/**
 * S3 allows 2 kB of user metadata (S3 User Guide, "Working with object metadata"). Ours takes up to 600
 * bytes of it, and text that is not ASCII grows by half on the way (objects/s3-metadata.ts).
 */
export const META_BYTES_MAX = 900
const META_KEY = /^[A-Za-z0-9_-]{1,64}$/

/** True where the first bytes say JSON: no image format begins with a brace or white space. */
export function looksLikeEnvelope (payload: Buffer): boolean {
  for (const byte of payload.subarray(0, 64)) {
    if (byte === 0x7b) return true
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false
  }
  return false
}

export function readEnvelope (payload: Buffer, imageKey: string): EnvelopeOutcome {
  const fields = parseObject(payload.toString('utf8'))
  if (fields === undefined) return fault(undefined, 'bad_json', 'the payload begins like JSON but is not a JSON object')
  const imageId = fields['id'] === undefined ? undefined : parseImageId(textOf(fields['id']))
  if (fields['id'] !== undefined && imageId === undefined) {
    return fault(undefined, 'bad_id', `id ${quote(fields['id'])} is not 1 to 128 of A-Z a-z 0-9 . _ ~ -`)
  }
  const refuse = (reason: RefusalReason, detail: string): EnvelopeOutcome => fault(imageId, reason, detail)
  const text = fields[imageKey]
  if (typeof text !== 'string' || text === '') return refuse('missing_image', `there is no base64 text under ${quote(imageKey)}`)
  const image = parseBase64(text)
  if (image === undefined) return refuse('bad_base64', `what stands under ${quote(imageKey)} is not base64`)
  const deviceId = fields['device'] === undefined ? undefined : parseDeviceId(textOf(fields['device']))
  if (fields['device'] !== undefined && deviceId === undefined) {
    return refuse('bad_id', `device ${quote(fields['device'])} is not 1 to 64 of A-Z a-z 0-9 . _ ~ -`)
  }
  const capturedAt = parseTime(fields['capturedAt'])
  if (Number.isNaN(capturedAt)) {
    return refuse('bad_meta', `capturedAt ${quote(fields['capturedAt'])} is neither RFC 3339 nor milliseconds since 1970`)
  }
  const sha256 = fields['sha256'] === undefined ? undefined : textOf(fields['sha256']).toLowerCase()
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    return refuse('bad_meta', `sha256 ${quote(fields['sha256'])} is not 64 hex digits`)
  }
  const meta = readMeta(fields['meta'], fields['seq'])
  if (typeof meta === 'string') return refuse('bad_meta', meta)
  const lane = fields['lane'] ?? undefined
  if (lane !== undefined && !isLane(lane)) {
    return refuse('bad_meta', `lane ${quote(lane)} is none of ${LANES.join(', ')}`)
  }
  return { kind: 'envelope', envelope: { image, imageId, deviceId, capturedAt, sha256, meta, lane } }
}

/** Empty for what is neither text nor a number: an object may have a toString that is no function. */
function textOf (value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function fault (imageId: ImageId | undefined, reason: RefusalReason, detail: string): EnvelopeOutcome {
  return { kind: 'fault', imageId, fault: { reason, detail } }
}

/** Standard or URL-safe, padded or not, line breaks and a data: prefix allowed. */
export function parseBase64 (text: string): Buffer | undefined {
  const body = text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text
  // Node's decoder skips what it does not know; so a fault shows in the length of what comes out.
  return decodeWhole(body) ?? decodeWhole(body.replace(/\s+/g, ''))
}

function decodeWhole (text: string): Buffer | undefined {
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length
  if (digits % 4 === 1) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length > 0 && bytes.length === Math.floor(digits * 3 / 4) ? bytes : undefined
}

/** Undefined where there is none, NaN where it cannot be read. */
function parseTime (value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isSafeInteger(Math.round(at)) && Math.abs(at) <= 8.64e15 ? Math.round(at) : NaN
}

/** The meta to keep, or a sentence that says what is wrong with it. */
function readMeta (value: unknown, seq: unknown): Readonly<Record<string, string>> | undefined | string {
  const meta: Record<string, string> = {}
  if (value !== undefined && value !== null) {
    if (typeof value !== 'object' || Array.isArray(value)) return 'meta is not a JSON object'
    for (const [key, item] of Object.entries(value)) {
      if (!META_KEY.test(key)) return `meta key ${quote(key)} is not 1 to 64 of A-Z a-z 0-9 _ -`
      if (typeof item === 'object') return `meta.${key} is not text, a number or a boolean`
      meta[key.toLowerCase()] = String(item)
    }
  }
  if (typeof seq === 'number' || typeof seq === 'string') meta['seq'] = String(seq)
  const bytes = Object.entries(meta).reduce((sum, [key, item]) => sum + key.length + Buffer.byteLength(item), 0)
  if (bytes > META_BYTES_MAX) return `meta holds ${bytes} bytes, at most ${META_BYTES_MAX} are kept with an object`
  return bytes === 0 ? undefined : meta
}

function quote (value: unknown): string {
  // JSON.stringify runs out of stack on a list of lists that JSON.parse has read.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'that is a list' : 'that is an object'
  return JSON.stringify(value)?.slice(0, 80) ?? 'undefined'
}
