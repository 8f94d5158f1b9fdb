// An entry as it is written beside its payload: JSON whose last property is the CRC-32 of what stands before it, so
// that an image is never sent under a name that has rotted. Records of earlier versions have none.
//
//   {"sequence":7,"deviceId":"cam-1",...,"sum":"0a1b2c3d"}

import { crc32 } from '../crc32.ts'
import { isLane, type Entry } from '../entry.ts'
import { parseObject } from '../json.ts'

const SEALED = /^(.*),"sum":"([0-9a-f]{8})"\}$/s
const FIELDS: ReadonlySet<string> = new Set([
  'sequence', 'deviceId', 'imageId', 'bytes', 'crc32', 'sha256', 'contentType', 'sourceTopic', 'capturedAt',
  'receivedAt', 'meta', 'lane'
])

export function formatRecord (value: object): string {
  const body = JSON.stringify(value)
  return `${body.slice(0, -1)},"sum":"${sumOf(body)}"}`
}

/** Undefined where a bit has changed, and for what is no record. */
export function parseRecord (text: string): Readonly<Record<string, unknown>> | undefined {
  const [, open, sum] = SEALED.exec(text) ?? []
  const body = open === undefined ? text : `${open}}`
  if (sum !== undefined && sum !== sumOf(body)) return undefined
  return parseObject(body)
}

/** Undefined where it is not what was written. */
export function parseEntry (text: string): Entry | undefined {
  const value = parseRecord(text)
  return value !== undefined && isEntry(value) ? value : undefined
}

/** Whatever is in it is checked by its own sum, or by LevelDB's; this tells an entry from anything else. */
export function isEntry (value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false
  const { sequence, deviceId, imageId, bytes, crc32, receivedAt, lane } = value as Partial<Record<keyof Entry, unknown>>
  return [sequence, bytes, crc32, receivedAt].every(Number.isFinite) &&
    typeof deviceId === 'string' && typeof imageId === 'string' && (lane === undefined || isLane(lane)) &&
    Object.keys(value).every((name) => FIELDS.has(name))
}

function sumOf (body: string): string {
  return crc32(Buffer.from(body)).toString(16).padStart(8, '0')
}
