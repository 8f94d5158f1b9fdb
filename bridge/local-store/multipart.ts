import { readDeclaredBody } from './body.ts'
import { requireBucket, xmlAnswer, type Answer, type Call, type Store } from './call.ts'
import { Digests } from './checksums.ts'
import { readRange } from './conditions.ts'
import type { Draft } from './drafts.ts'
import { refusal } from './errors.ts'
import type { ObjectName } from './files.ts'
import { readObjectHeaders, refusePromises } from './object-headers.ts'
import { readCopySource } from './target.ts'
import type { UploadName } from './uploads.ts'
import { checksumHeaders, openSource, receiveInto } from './write-object.ts'

/** Amazon S3 User Guide, "Multipart upload limits". */
export const partNumberMax = 10_000

export async function createMultipartUpload (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const headers = readObjectHeaders(call.headers)
  await requireBucket(store, name.bucket)
  const uploadId = await store.uploads.create(name, headers, Date.now())
  return xmlAnswer('InitiateMultipartUploadResult', { Bucket: name.bucket, Key: name.key, UploadId: uploadId })
}

export async function uploadPart (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const [upload, number] = [uploadName(call, name), readPartNumber(call)]
  const declared = readDeclaredBody(call.headers, call.payload, store.limits.objectBytesMax)
  await store.uploads.find(upload)
  return await store.files.drafts.use(async (draft) => {
    const { md5, checksum } = await receiveInto(draft, call, declared)
    await store.uploads.addPart(upload, { number, md5 }, draft)
    return { status: 200, headers: { etag: `"${md5}"`, ...checksumHeaders(checksum) } }
  })
}

export async function uploadPartCopy (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const [upload, number] = [uploadName(call, name), readPartNumber(call)]
  refusePromises(call.headers)
  await store.uploads.find(upload)
  const source = readCopySource(String(call.headers['x-amz-copy-source']))
  const { object, handle } = await openSource(store, call, source)
  try {
    const range = readRange(call.headers['x-amz-copy-source-range']?.toString(), object.bytes)
    return await store.files.drafts.use(async (draft) => {
      const digests = new Digests(new Set(['md5'] as const))
      await append(draft, handle.createReadStream({ start: 0, ...range, autoClose: false }), digests)
      const md5 = digests.end('md5').toString('hex')
      await store.uploads.addPart(upload, { number, md5 }, draft)
      return xmlAnswer('CopyPartResult', { ETag: `"${md5}"`, LastModified: new Date().toISOString() })
    })
  } finally {
    await handle.close()
  }
}

export async function abortMultipartUpload (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const upload = uploadName(call, name)
  await store.uploads.lock(upload.uploadId, async () => {
    await store.uploads.find(upload)
    await store.uploads.remove(upload)
  })
  return { status: 204 }
}

export function uploadName (call: Call, name: ObjectName): UploadName {
  return { ...name, uploadId: call.query.get('uploadId') ?? '' }
}

/** Copies a stream of a file into the draft, digesting it on the way. */
export async function append (draft: Draft, pieces: AsyncIterable<Buffer>, digests: Digests): Promise<void> {
  for await (const piece of pieces) {
    digests.update(piece)
    await draft.write(piece)
  }
}

function readPartNumber (call: Call): number {
  const text = call.query.get('partNumber') ?? ''
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= partNumberMax) return number
  throw refusal('InvalidArgument', `part number must be an integer between 1 and ${partNumberMax}, inclusive`)
}
