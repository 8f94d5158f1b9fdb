// Objects that are too large to be sent twice: in parts, each signed and summed like an object of its own. Parts that
// the store has are remembered, so that a put that a fault has cut off goes on with the first part that is missing.
//
// What is remembered lives as long as the process; after it s3-resume.ts asks the store. What nobody goes on with is
// removed by the bucket's lifecycle rule (S3 User Guide, "Configuring a bucket lifecycle configuration to delete
// incomplete multipart uploads").

import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand,
  type S3Client
} from '@aws-sdk/client-s3'
import type { StoreObject } from './object-store.ts'
import { sendWith } from './s3-client.ts'
import { agrees } from './s3-integrity.ts'
import { finding, isUploadGone } from './s3-outcomes.ts'
import { checksumAlgorithm, completedPart, countParts, readPart, type PartsOptions, type Upload } from './s3-parts.ts'
import { attempt } from './s3-request.ts'
import { findLeftBehind } from './s3-resume.ts'

/** Uploads that are remembered; the oldest beyond these is given up. */
const UPLOADS_MAX = 100
const ABORT_MS_MAX = 10_000

export class MultipartPuts {
  readonly #client: S3Client
  readonly #options: PartsOptions
  readonly #uploads = new Map<string, Upload>()
  readonly #openedAt = Date.now()

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
    const resumed = this.#resumed(object) ?? await this.#leftBehind(object, signal)
    return await this.#putFrom(resumed, object, { metadata, signal })
  }

  async #putFrom (
    resumed: Upload | undefined, object: StoreObject,
    { metadata, signal }: { readonly metadata: Readonly<Record<string, string>>, readonly signal: AbortSignal }
  ): Promise<string | undefined> {
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
      if (upload.parts.size === countParts(object.body, this.#options)) return undefined
      if (resumed === undefined) throw error
      return await this.#putFrom(undefined, object, { metadata, signal })
    }
  }

  /** What is at the store for an object that is not to be put any more. */
  giveUp (key: string): void {
    const upload = this.#uploads.get(key)
    if (upload === undefined) return
    this.#uploads.delete(key)
    this.#abort(key, upload.id)
  }

  #abort (key: string, id: string): void {
    const command = new AbortMultipartUploadCommand({ Bucket: this.#options.bucket, Key: key, UploadId: id })
    attempt(AbortSignal.timeout(ABORT_MS_MAX), (abortSignal) => this.#client.send(command, { abortSignal }))
      .catch(() => {}) // the bucket's lifecycle rule removes it
  }

  #resumed ({ key, sha256 }: StoreObject): Upload | undefined {
    const upload = this.#uploads.get(key)
    if (upload === undefined || upload.sha256 === sha256) return upload
    this.giveUp(key) // other bytes under the same key
    return undefined
  }

  /** New images are not asked for: nothing of them can be there. */
  async #leftBehind (object: StoreObject, signal: AbortSignal): Promise<Upload | undefined> {
    const { key, receivedAt = Infinity } = object
    if (receivedAt >= this.#openedAt) return undefined
    const { upload, stale } = await findLeftBehind(this.#client, this.#options, object, signal)
    for (const id of stale) this.#abort(key, id)
    if (upload !== undefined) this.#remember(upload)
    return upload
  }

  #remember (upload: Upload): void {
    this.#uploads.set(upload.key, upload)
    const [oldest] = this.#uploads.keys()
    if (this.#uploads.size > UPLOADS_MAX && oldest !== undefined) this.giveUp(oldest)
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
      ChecksumAlgorithm: checksumAlgorithm(integrity)
    })
    const { UploadId: id } = await attempt(signal, (abortSignal) => this.#client.send(command, { abortSignal }))
    if (id === undefined) throw finding('NoUploadId')
    const upload: Upload = { key, id, sha256, parts: new Map() }
    this.#remember(upload)
    return upload
  }

  async #putParts ({ key, id, parts }: Upload, body: Buffer, signal: AbortSignal): Promise<void> {
    const { bucket } = this.#options
    for (let number = 1; number <= countParts(body, this.#options); number++) {
      if (parts.has(number)) continue
      const { bytes, sha256, sums } = readPart(body, number, this.#options)
      const command = new UploadPartCommand({
        Bucket: bucket, Key: key, UploadId: id, PartNumber: number, Body: bytes, ContentLength: bytes.length, ...sums
      })
      const answer = await attempt(signal, (abortSignal) => sendWith(this.#client, command, { sha256, abortSignal }))
      if (answer.ETag === undefined) throw finding('NoETag')
      if (!agrees(answer, sums)) throw finding('OtherBytes')
      parts.set(number, completedPart(number, answer.ETag, sums))
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
