// What the head of a request says about the image in its body, and what can be refused by it alone.

import type { IncomingHttpHeaders } from 'node:http'
import { parseDeviceId, parseImageId, type DeviceId, type ImageId } from '../../broker/topics.ts'
import { isLane, LANES, type Lane } from '../entry.ts'
import type { FormFields } from './form.ts'
import { problem } from './problem.ts'
import type { Reply } from './reply.ts'

export type BodyKind = 'raw' | 'json' | 'form'

export interface OfferHead {
  readonly kind: 'head'
  readonly body: BodyKind
  readonly bytes: number
  readonly names: Names
  readonly lane: Lane | undefined
}

export interface Names {
  readonly deviceId: DeviceId | undefined
  readonly imageId: ImageId | undefined
}

export interface Refused {
  readonly kind: 'refused'
  readonly reply: Reply
}

export const HOW_TO = 'Send image/* with ?device=, application/json with the image as base64, or multipart/form-data ' +
  'with the image in "file": curl -H "Content-Type: image/jpeg" --data-binary @photo.jpg ".../api/v1/images?device=cam-1"'

export function readHead (headers: IncomingHttpHeaders, query: URLSearchParams, bytesMax: number): OfferHead | Refused {
  const body = readBodyKind(headers['content-type'])
  if (body === undefined) {
    const type = headers['content-type'] ?? ''
    return refused(problem('unsupported_type', `${JSON.stringify(type)} is no type that an image comes in`, { hint: HOW_TO }))
  }
  const bytes = readLength(headers, bytesMax)
  if (typeof bytes !== 'number') return bytes
  const names = parseNames(
    query.get('device') ?? single(headers['x-device-id']), query.get('id') ?? single(headers['x-image-id']))
  if ('kind' in names) return names
  if (body === 'raw' && names.deviceId === undefined) {
    return refused(problem('bad_id', 'nothing says which device the image comes from', { hint: HOW_TO }))
  }
  const lane = query.get('lane') ?? undefined
  if (lane !== undefined && !isLane(lane)) {
    return refused(problem('bad_query', `lane ${quote(lane)} is none of ${LANES.join(', ')}`))
  }
  return { kind: 'head', body, bytes, names, lane }
}

/** A form may name what the head of its request did not. */
export function completeHead (head: OfferHead, { device, id, lane }: FormFields): OfferHead | Refused {
  const names = parseNames(head.names.deviceId ?? device, head.names.imageId ?? id)
  if ('kind' in names) return names
  if (lane === undefined || isLane(lane)) return { ...head, names, lane: head.lane ?? lane }
  return refused(problem('bad_meta', `lane ${quote(lane)} is none of ${LANES.join(', ')}`))
}

/** What an image is, its bytes say; so no type, and the type of anything, are as good as image/jpeg. */
function readBodyKind (contentType: string | undefined): BodyKind | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? 'application/octet-stream'
  if (type.startsWith('image/') || type === 'application/octet-stream') return 'raw'
  if (type === 'application/json') return 'json'
  return type === 'multipart/form-data' ? 'form' : undefined
}

function readLength (headers: IncomingHttpHeaders, bytesMax: number): number | Refused {
  const declared = headers['content-length']
  if (declared === undefined || headers['transfer-encoding'] !== undefined) {
    const hint = 'Send Content-Length and the body as it is, not chunked: memory is set aside before it is read.'
    return refused(problem('length_required', 'the request does not declare how long its body is', { hint }))
  }
  const bytes = Number(declared) // Node's parser lets nothing but digits through
  if (bytes > bytesMax) {
    const hint = 'Send a smaller image, or raise mqtt.maxPacketSize, which holds here, too.'
    return refused(problem('too_large', `${declared} bytes are declared, at most ${bytesMax} are taken`, { hint }))
  }
  return bytes > 0 ? bytes : refused(problem('empty', 'the body has no bytes', { hint: HOW_TO }))
}

function parseNames (device: string | undefined, id: string | undefined): Names | Refused {
  const deviceId = device === undefined ? undefined : parseDeviceId(device)
  const imageId = id === undefined ? undefined : parseImageId(id)
  if (device !== undefined && deviceId === undefined) {
    return refused(problem('bad_id', `device ${quote(device)} is not 1 to 64 of A-Z a-z 0-9 . _ ~ -`))
  }
  if (id !== undefined && imageId === undefined) {
    return refused(problem('bad_id', `id ${quote(id)} is not 1 to 128 of A-Z a-z 0-9 . _ ~ -`))
  }
  return { deviceId, imageId }
}

function single (header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function quote (text: string): string {
  return JSON.stringify(text.slice(0, 80))
}

function refused (reply: Reply): Refused {
  return { kind: 'refused', reply }
}
