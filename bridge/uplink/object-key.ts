import type { Entry } from '../entry.ts'

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
  'image/heic': 'heic'
}

/** What may stand in `s3.key`; dates are the UTC time of acceptance. */
export const KEY_PLACEHOLDERS = ['deviceId', 'imageId', 'ext', 'yyyy', 'MM', 'dd', 'HH'] as const

/**
 * A pure function of the entry, so that uploading it twice stores it once. Ids have neither `/` nor control
 * characters and are never dots, so no device reaches another one's keys.
 */
export function objectKey (template: string, entry: Entry): string {
  const accepted = new Date(entry.receivedAt).toISOString()
  const values: Record<typeof KEY_PLACEHOLDERS[number], string> = {
    deviceId: entry.deviceId,
    imageId: entry.imageId,
    ext: EXTENSIONS[entry.contentType] ?? entry.contentType.replace(/^image\//, ''),
    yyyy: accepted.slice(0, 4),
    MM: accepted.slice(5, 7),
    dd: accepted.slice(8, 10),
    HH: accepted.slice(11, 13)
  }
  return KEY_PLACEHOLDERS.reduce((key, name) => key.replaceAll(`{${name}}`, () => values[name]), template)
}

/** What the object says about itself; the device's own words come first, so that they cannot pass for ours. */
export function objectMetadata (entry: Entry, sha256: string): Record<string, string> {
  return {
    ...entry.meta,
    'device-id': entry.deviceId,
    'image-id': entry.imageId,
    ...entry.capturedAt !== undefined && { 'captured-at': new Date(entry.capturedAt).toISOString() },
    'received-at': new Date(entry.receivedAt).toISOString(),
    sha256,
    'source-topic': entry.sourceTopic
  }
}
