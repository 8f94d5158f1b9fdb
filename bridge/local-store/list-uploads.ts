import { owner } from './buckets.ts'
import { readCount, requireBucket, xmlAnswer, type Answer, type Call, type Store } from './call.ts'
import { refusal } from './errors.ts'
import type { ObjectName } from './files.ts'
import { compareKeys, type BucketName } from './keys.ts'
import { readEncoding } from './list-objects.ts'
import { uploadName } from './multipart.ts'

/** API Reference, ListMultipartUploads and ListParts: at most 1,000 a page. */
const rowsMax = 1000

export async function listMultipartUploads (store: Store, call: Call, bucket: BucketName): Promise<Answer> {
  await requireBucket(store, bucket)
  if ((call.query.get('delimiter') ?? '') !== '') throw refusal('NotImplemented', 'a delimiter is not implemented for uploads')
  const [prefix, key, id] = ['prefix', 'key-marker', 'upload-id-marker'].map((name) => call.query.get(name) ?? '')
  const max = readCount(call, 'max-uploads', rowsMax)
  const encode = readEncoding(call)
  const uploads = (await store.uploads.list(bucket))
    .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId))
    .filter((upload) => upload.key.startsWith(prefix ?? '') && isBehind(upload, key ?? '', id ?? ''))
  const page = uploads.slice(0, max)
  const last = page.at(-1)
  const isTruncated = uploads.length > page.length && last !== undefined
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket,
    Prefix: encode(prefix ?? ''),
    KeyMarker: encode(key ?? ''),
    UploadIdMarker: id,
    MaxUploads: max,
    EncodingType: call.query.get('encoding-type'),
    IsTruncated: isTruncated,
    NextKeyMarker: isTruncated ? encode(last.key) : undefined,
    NextUploadIdMarker: isTruncated ? last.uploadId : undefined,
    Upload: page.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.uploadId,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      Initiated: new Date(upload.startedAt).toISOString()
    }))
  })
}

export async function listParts (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const upload = uploadName(call, name)
  await store.uploads.find(upload)
  const max = readCount(call, 'max-parts', rowsMax)
  const marker = Number(call.query.get('part-number-marker') ?? 0)
  if (!Number.isInteger(marker)) throw refusal('InvalidArgument', 'part-number-marker must be a number')
  const parts = (await store.uploads.parts(upload)).filter(({ number }) => number > marker)
  const page = parts.slice(0, max)
  return xmlAnswer('ListPartsResult', {
    Bucket: name.bucket,
    Key: readEncoding(call)(name.key),
    UploadId: upload.uploadId,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number,
    MaxParts: max,
    IsTruncated: parts.length > page.length,
    StorageClass: 'STANDARD',
    Initiator: owner,
    Owner: owner,
    Part: page.map(({ number, md5, bytes, modifiedAt }) => ({
      PartNumber: number,
      ETag: `"${md5}"`,
      Size: bytes,
      LastModified: new Date(modifiedAt).toISOString()
    }))
  })
}

/** With a key alone, behind all uploads of that key; with an id too, behind that one. */
function isBehind (upload: { key: string, uploadId: string }, key: string, id: string): boolean {
  const order = compareKeys(upload.key, key)
  return order > 0 || (order === 0 && id !== '' && compareKeys(upload.uploadId, id) > 0)
}
