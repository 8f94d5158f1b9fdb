// Uploads that an abrupt end of this process has left at the store. The store itself knows what it has of them, so
// nothing of it is written down here: two small requests find out, once for an object that waited at the start.

import { createHash } from 'node:crypto'
import {
  ListMultipartUploadsCommand, ListPartsCommand, type CompletedPart, type MultipartUpload, type Part, type S3Client
} from '@aws-sdk/client-s3'
import type { StoreObject } from './object-store.ts'
import { agrees, type Sums } from './s3-integrity.ts'
import { isAnswered } from './s3-outcomes.ts'
import { checksumAlgorithm, completedPart, countParts, readPart, type PartsOptions, type Upload } from './s3-parts.ts'
import { attempt } from './s3-request.ts'

export interface LeftBehind {
  /** The one to go on with: all that the store has of it are parts of this object. */
  readonly upload: Upload | undefined
  /** Ids of those that nobody goes on with. */
  readonly stale: readonly string[]
}

const NOTHING: LeftBehind = { upload: undefined, stale: [] }
/** S3 lists 1,000 parts a page, and an object has at most 10,000. */
const PAGES_MAX = 10

/**
 * What is left of this object under its key. A store that does not list uploads, or not to us, has nothing; rejects as
 * the S3 client does where it does not answer at all.
 */
export async function findLeftBehind (
  client: S3Client, options: PartsOptions, object: StoreObject, signal: AbortSignal
): Promise<LeftBehind> {
  try {
    const command = new ListMultipartUploadsCommand({ Bucket: options.bucket, Prefix: object.key })
    const { Uploads = [] } = await attempt(signal, (abortSignal) => client.send(command, { abortSignal }))
    const ours = Uploads.filter(({ Key }) => Key === object.key).sort((a, b) => startedAt(b) - startedAt(a))
    const [newest] = ours
    const parts = newest === undefined ? undefined : await readParts(client, options, { object, newest, signal })
    const ids = ours.flatMap(({ UploadId }) => UploadId ?? [])
    const [id = '', ...older] = ids
    if (parts === undefined || parts.size === 0) return { upload: undefined, stale: ids }
    return { upload: { key: object.key, id, sha256: object.sha256, parts }, stale: older }
  } catch (error) {
    if (isAnswered(error)) return NOTHING
    throw error
  }
}

/** Undefined where one of the parts is not this object's, or the upload is summed in another way. */
async function readParts (
  client: S3Client, options: PartsOptions,
  { object: { key, body }, newest, signal }: { object: StoreObject, newest: MultipartUpload, signal: AbortSignal }
): Promise<Map<number, CompletedPart> | undefined> {
  const { ChecksumAlgorithm, UploadId } = newest
  if (ChecksumAlgorithm !== undefined && ChecksumAlgorithm !== checksumAlgorithm(options.integrity)) return undefined
  const parts = new Map<number, CompletedPart>()
  let after: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const command = new ListPartsCommand({ Bucket: options.bucket, Key: key, UploadId, PartNumberMarker: after })
    const listed = await attempt(signal, (abortSignal) => client.send(command, { abortSignal }))
    for (const there of listed.Parts ?? []) {
      const part = recognize(there, body, options)
      if (part === undefined) return undefined
      parts.set(part.PartNumber ?? 0, part)
    }
    after = listed.NextPartNumberMarker
    if (listed.IsTruncated !== true || after === undefined) return parts
  }
  return parts
}

/** Undefined where it is not the part of this number, byte for byte, as far as sums can tell. */
function recognize (there: Part, body: Buffer, options: PartsOptions): CompletedPart | undefined {
  const { PartNumber: number = 0, ETag: etag = '', Size: size } = there
  if (number < 1 || number > countParts(body, options)) return undefined
  const { bytes, sums } = readPart(body, number, options)
  if (size !== bytes.length || !isSame(there, bytes, sums)) return undefined
  return completedPart(number, etag, sums)
}

/** By what it was sent with where the store says that; else by the MD5 in its ETag. */
function isSame (there: Part, bytes: Buffer, sums: Sums): boolean {
  const { ChecksumSHA256, ChecksumCRC32 } = there
  const isSaid = [[sums.ChecksumSHA256, ChecksumSHA256], [sums.ChecksumCRC32, ChecksumCRC32]]
    .some(([ours, theirs]) => ours !== undefined && theirs !== undefined)
  if (isSaid) return agrees(there, sums)
  return /^"?[0-9a-f]{32}"?$/i.test(there.ETag ?? '') && agrees(there, { ...sums, ContentMD5: md5(bytes) })
}

function md5 (bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64')
}

function startedAt ({ Initiated }: MultipartUpload): number {
  return Initiated?.getTime() ?? 0
}
