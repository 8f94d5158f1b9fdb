import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readDeclaredDocument, readDocument, xmlAnswer, type Answer, type Call, type Store } from './call.ts'
import { Digests, type Checksum, type DeclaredChecksum } from './checksums.ts'
import { readPutCondition } from './conditions.ts'
import { refusal } from './errors.ts'
import type { ObjectName } from './files.ts'
import { append, partNumberMax, uploadName } from './multipart.ts'
import type { Part } from './uploads.ts'
import { isElement } from './xml.ts'

/** Amazon S3 User Guide, "Multipart upload limits": every part but the last. */
const partBytesMin = 5 * 1024 * 1024

interface NamedPart {
  readonly number: number
  readonly md5: string
}

/** Puts the parts together into one plain file. The upload goes only after the object is durable. */
export async function completeMultipartUpload (store: Store, call: Call, name: ObjectName): Promise<Answer> {
  const upload = uploadName(call, name)
  const condition = readPutCondition(call.headers)
  const { checksum, ...document } = readDeclaredDocument(store, call)
  refuseComposite(call, checksum)
  // A checksum here is the object's, not this body's.
  const { Part: rows } = await readDocument(call, { ...document, checksum: undefined }, 'CompleteMultipartUpload')
  const named = readParts(rows)
  return await store.uploads.lock(upload.uploadId, async () => {
    const { headers } = await store.uploads.find(upload)
    const parts = choose(named, await store.uploads.parts(upload))
    checkSizes(parts, store.limits.objectBytesMax)
    const etag = `${etagOf(parts)}-${parts.length}`
    await store.files.drafts.use(async (draft) => {
      const digests = new Digests(new Set(['md5' as const, ...(checksum === undefined ? [] : [checksum.algorithm])]))
      for (const { path } of parts) await append(draft, createReadStream(path), digests)
      const whole = verifyWhole(digests, checksum)
      const description = { md5: digests.end('md5').toString('hex'), etag, headers, checksum: whole }
      await store.files.commit(name, draft, description, condition)
    })
    await store.uploads.remove(upload)
    return xmlAnswer('CompleteMultipartUploadResult',
      { Location: `/${name.bucket}/${name.key}`, Bucket: name.bucket, Key: name.key, ETag: `"${etag}"` })
  })
}

function readParts (rows: unknown): NamedPart[] {
  if (!Array.isArray(rows) || rows.length > partNumberMax) {
    throw refusal('MalformedXML', `a CompleteMultipartUpload document names 1 to ${partNumberMax} parts`)
  }
  const parts = rows.map((row: unknown) => {
    const { PartNumber: number, ETag: etag } = isElement(row) ? row : {}
    if (typeof number !== 'string' || typeof etag !== 'string') {
      throw refusal('MalformedXML', 'every Part has a PartNumber and an ETag')
    }
    return { number: Number(number), md5: etag.trim().replaceAll('"', '').toLowerCase() }
  })
  if (parts.some(({ number }, i) => i > 0 && !(number > (parts[i - 1]?.number ?? 0)))) {
    throw refusal('InvalidPartOrder', 'the list of parts was not in ascending order')
  }
  return parts
}

function choose (named: readonly NamedPart[], parts: readonly Part[]): Part[] {
  const known = new Map(parts.map((part) => [`${part.number}-${part.md5}`, part]))
  return named.map(({ number, md5 }) => {
    const part = known.get(`${number}-${md5}`)
    if (part === undefined) throw refusal('InvalidPart', `part ${number} with the ETag ${md5} was not uploaded`)
    return part
  })
}

function checkSizes (parts: readonly Part[], objectBytesMax: number): void {
  const small = parts.slice(0, -1).find(({ bytes }) => bytes < partBytesMin)
  if (small !== undefined) {
    throw refusal('EntityTooSmall', `part ${small.number} is ${small.bytes} bytes; all but the last have at least ${partBytesMin}`)
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  if (bytes > objectBytesMax) throw refusal('EntityTooLarge', `${bytes} bytes are more than the ${objectBytesMax} that this store takes`)
}

function etagOf (parts: readonly Part[]): string {
  const md5 = createHash('md5')
  for (const part of parts) md5.update(part.md5, 'hex')
  return md5.digest('hex')
}

/** A checksum of the parts' checksums says nothing of the bytes that each part's own has not said. */
function refuseComposite (call: Call, checksum: DeclaredChecksum | undefined): void {
  if (checksum === undefined || call.headers['x-amz-checksum-type'] === 'FULL_OBJECT') return
  throw refusal('NotImplemented', 'a checksum is verified here with x-amz-checksum-type: FULL_OBJECT only')
}

function verifyWhole (digests: Digests, declared: DeclaredChecksum | undefined): Checksum | undefined {
  if (declared === undefined) return undefined
  const { algorithm } = declared
  const value = digests.end(algorithm).toString('base64')
  if (declared.kind === 'header' && declared.value === value) return { algorithm, value }
  throw refusal('BadDigest', `the ${algorithm} you specified did not match the object's`)
}
