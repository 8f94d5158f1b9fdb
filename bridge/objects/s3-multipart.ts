// Objects that are too large to be sent twice: in parts, each signed and summed like an object of its own. Parts that
// the store has are remembered, so that a put that a fault has cut off goes on with the first part that is missing.
//
// What is remembered lives as long as the process. An upload that an abrupt end leaves behind at the store is removed
// by the bucket's lifecycle rule (S3 User Guide, "Configuring a bucket lifecycle configuration to delete incomplete
// multipart uploads").

import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand,
  type CompletedPart, type S3Client
} from '@aws-sdk/client-s3'
import { crc32 } from '../crc32.ts'
import type { StoreObject } from './object-store.ts'
import { agrees, signWith, sumsOf, type Integrity } from './s3-integrity.ts'
import { finding, isUploadGone } from './s3-outcomes.ts'
import { attempt } from './s3-request.ts'

export interface PartsOptions {
  readonly bucket: string
  readonly ifNoneMatch: boolean
  readonly integrity: Integrity
  readonly partBytes: number
}

interface Upload {
  readonly key: string
  readonly id: string
  readonly sha256: string
  /** By their number, from 1. */
  readonly parts: Map<number, CompletedPart>
}

/** Uploads that are remembered; the oldest beyond these is given up. */
const UPLOADS_MAX = 100
const ABORT_MS_MAX = 10_000

export class MultipartPuts {
  readonly #client: S3Client
  readonly #options: PartsOptions
  readonly #uploads = new Map<string, Upload>()

  constructor (client: S3Client, options: PartsOptions) {
    this.#client = client
    this.#options = options
  }

  /**
   * The ETag of the stored object; undefined where the upload is gone although nothing of it was missing, so that the
   * object may be there. Rejects as the S3 client does, and with findings of s3-outcomes.ts.
   */
  async put (
    object: StoreObject, metadata: Readonly<Record<string, string>>, signal: AbortSignal
  ): Promise<string | undefined> {
    if (createHash('sha256').update(object.body).digest('hex') !== object.sha256) throw finding('NotItsHash')
    const resumed = this.#resumed(object)
    let upload = resumed
    try {
      upload ??= await this.#create(object, metadata, signal)
      await this.#putParts(upload, object.body, signal)
      const etag = await this.#complete(upload, signal)
      this.#uploads.delete(upload.key)
      return etag
    } catch (error) {
      if (upload === undefined || !isUploadGone(error)) throw error
      this.#uploads.delete(upload.key)
      if (upload.parts.size === this.#countOf(object.body)) return undefined
      if (resumed === undefined) throw error
      return await this.put(object, metadata, signal) // from the beginning, as nothing is remembered now
    }
  }

  /** What is at the store for an object that is not to be put any more. */
  giveUp (key: string): void {
    const upload = this.#uploads.get(key)
    if (upload === undefined) return
    this.#uploads.delete(key)
    const command = new AbortMultipartUploadCommand({ Bucket: this.#options.bucket, Key: key, UploadId: upload.id })
    attempt(AbortSignal.timeout(ABORT_MS_MAX), (abortSignal) => this.#client.send(command, { abortSignal }))
      .catch(() => {}) // the bucket's lifecycle rule removes it
  }

  #countOf (body: Buffer): number { return Math.ceil(body.length / this.#options.partBytes) }

  #resumed ({ key, sha256 }: StoreObject): Upload | undefined {
    const upload = this.#uploads.get(key)
    if (upload === undefined || upload.sha256 === sha256) return upload
    this.giveUp(key) // other bytes under the same key
    return undefined
  }

  async #create (
    { key, sha256, contentType }: StoreObject, metadata: Readonly<Record<string, string>>, signal: AbortSignal
  ): Promise<Upload> {
    const { bucket, integrity } = this.#options
    const command = new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      Metadata: metadata,
      ...(integrity === 'md5' ? {} : { ChecksumAlgorithm: integrity === 'sha256' ? 'SHA256' : 'CRC32' })
    })
    const { UploadId: id } = await attempt(signal, (abortSignal) => this.#client.send(command, { abortSignal }))
    if (id === undefined) throw finding('NoUploadId')
    const upload: Upload = { key, id, sha256, parts: new Map() }
    this.#uploads.set(key, upload)
    const [oldest] = this.#uploads.keys()
    if (this.#uploads.size > UPLOADS_MAX && oldest !== undefined) this.giveUp(oldest)
    return upload
  }

  async #putParts ({ key, id, parts }: Upload, body: Buffer, signal: AbortSignal): Promise<void> {
    const { bucket, integrity, partBytes } = this.#options
    for (let number = 1; number <= this.#countOf(body); number++) {
      if (parts.has(number)) continue
      const part = body.subarray((number - 1) * partBytes, number * partBytes)
      const sha256 = createHash('sha256').update(part).digest('hex')
      const sums = sumsOf({ body: part, sha256, crc32: integrity === 'crc32' ? crc32(part) : 0 }, integrity)
      const command = new UploadPartCommand({
        Bucket: bucket, Key: key, UploadId: id, PartNumber: number, Body: part, ContentLength: part.length, ...sums
      })
      signWith(command, sha256)
      const answer = await attempt(signal, (abortSignal) => this.#client.send(command, { abortSignal }))
      if (answer.ETag === undefined) throw finding('NoETag')
      if (!agrees(answer, sums)) throw finding('OtherBytes')
      const { ContentMD5: _, ...kept } = sums
      parts.set(number, { PartNumber: number, ETag: answer.ETag, ...kept })
    }
  }

  async #complete ({ key, id, parts }: Upload, signal: AbortSignal): Promise<string> {
    const { bucket, ifNoneMatch } = this.#options
    const command = new CompleteMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      UploadId: id,
      MultipartUpload: { Parts: [...parts.values()].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)) },
      ...(ifNoneMatch ? { IfNoneMatch: '*' } : {})
    })
    const { ETag } = await attempt(signal, (abortSignal) => this.#client.send(command, { abortSignal }))
    if (ETag === undefined) throw finding('NoETag')
    return ETag
  }
}
