import { createHash } from 'node:crypto'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { ObjectReader } from './reader.ts'

/** Where the objects are. What is left out comes from the AWS SDK's own chains (environment, profile). */
export interface StoreAccess {
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  readonly bucket: string
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
}

export interface Listed {
  readonly key: string
  readonly etag: string
  readonly bytes: number
  /** ms since epoch, the store's clock, whole seconds. */
  readonly modifiedAt: number
}

export interface Content {
  /** The first bytes, up to HEAD_BYTES. */
  readonly head: Buffer
  readonly metadata: Readonly<Record<string, string>>
}

export interface HashedContent extends Content {
  /** Hex, of the whole object. */
  readonly sha256: string
}

/** Enough to find a mark behind a photo's Exif data (at most 64 KiB a segment). */
const HEAD_BYTES = 128 * 1024
const CONNECT_MS = 5000
/** SigV4 signs a region even where the store has none. */
const ANY_REGION = 'us-east-1'
const REQUEST_MS = 60_000

/** A bucket of whatever speaks S3, for reading only. Rejects where the store does not answer as it should. */
export class Bucket {
  readonly #client: S3Client
  readonly #name: string
  /** Undefined where only the SDK knows where the bucket is. */
  readonly #reader: ObjectReader | undefined

  constructor ({ endpoint, region, bucket, accessKeyId, secretAccessKey }: StoreAccess) {
    this.#name = bucket
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true, region: ANY_REGION }),
      ...(region === undefined ? {} : { region }),
      ...(accessKeyId === undefined || secretAccessKey === undefined
        ? {}
        : { credentials: { accessKeyId, secretAccessKey } }),
      // A hung server leaves a request pending for ever unless the timeout is told to throw.
      requestHandler: {
        connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true
      }
    })
    const { credentials } = this.#client.config
    this.#reader = endpoint === undefined
      ? undefined
      : new ObjectReader({ endpoint, region: region ?? ANY_REGION, bucket, credentials, timeoutMs: REQUEST_MS })
  }

  /** Every object there is, a page at a time. */
  async * list (signal: AbortSignal): AsyncGenerator<Listed> {
    let token: string | undefined
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#name, ContinuationToken: token }), { abortSignal: signal })
      for (const { Key, ETag, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue
        const modifiedAt = LastModified?.getTime() ?? Infinity
        yield { key: Key, etag: ETag ?? '', bytes: Size ?? 0, modifiedAt }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  /** Reads an object as a stream; its bytes are hashed and not kept. */
  async read ({ key }: Listed, signal: AbortSignal): Promise<HashedContent> {
    const { body, metadata } = await this.#get(key, signal)
    const hash = createHash('sha256')
    const head: Buffer[] = []
    let headBytes = 0
    for await (const chunk of body) {
      hash.update(chunk)
      if (headBytes < HEAD_BYTES) head.push(chunk)
      headBytes += chunk.length
    }
    return { sha256: hash.digest('hex'), head: Buffer.concat(head).subarray(0, HEAD_BYTES), metadata }
  }

  /** Reads an object no further than its head. */
  async peek ({ key, bytes }: Listed, signal: AbortSignal): Promise<Content> {
    const range = bytes > HEAD_BYTES ? `bytes=0-${HEAD_BYTES - 1}` : undefined // an empty object has no range
    const { body, metadata } = await this.#get(key, signal, range)
    const head: Buffer[] = []
    for await (const chunk of body) head.push(chunk)
    return { head: Buffer.concat(head), metadata }
  }

  close (): void {
    this.#client.destroy()
    this.#reader?.close()
  }

  async #get (key: string, signal: AbortSignal, range?: string) {
    if (this.#reader !== undefined) return await this.#reader.get(key, signal, range)
    const { Body, Metadata } = await this.#client.send(
      new GetObjectCommand({ Bucket: this.#name, Key: key, Range: range }), { abortSignal: signal })
    return { body: (Body ?? []) as AsyncIterable<Buffer>, metadata: Metadata ?? {} } // in Node a Readable
  }
}
