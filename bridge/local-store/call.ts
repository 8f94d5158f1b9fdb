import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { readDeclaredBody, receiveBody, type DeclaredBody } from './body.ts'
import { refusal, type Refusal } from './errors.ts'
import type { Files, ObjectName } from './files.ts'
import type { BucketName } from './keys.ts'
import type { RequestBody } from './request-body.ts'
import type { Payload } from './sigv4.ts'
import type { Uploads } from './uploads.ts'
import { formatXml, readXml, type Node } from './xml.ts'

/** An authenticated request. */
export interface Call {
  /** Parameters that stand there without a value are empty. */
  readonly query: ReadonlyMap<string, string>
  readonly headers: IncomingHttpHeaders
  readonly payload: Payload
  readonly body: RequestBody
}

/** What the operations work on. */
export interface Store {
  readonly files: Files
  readonly uploads: Uploads
  readonly region: string
  readonly limits: StoreLimits
}

export interface StoreLimits {
  /** Of one object, and of one request's body. */
  readonly objectBytesMax: number
  /** Of an XML body, which is held in memory: 1,000 keys of 1,024 bytes, escaped. */
  readonly documentBytesMax: number
}

export interface Answer {
  readonly status: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Readable
}

export function xmlAnswer (root: string, content: Node): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: formatXml(root, content) }
}

export async function requireBucket ({ files }: Store, bucket: BucketName): Promise<void> {
  if (!await files.buckets.has(bucket)) throw refusal('NoSuchBucket', `the bucket ${bucket} does not exist`)
}

/** The refusal that fits a key that is not there. */
export async function noSuchObject (store: Store, { bucket, key }: ObjectName): Promise<Refusal> {
  await requireBucket(store, bucket)
  return refusal('NoSuchKey', `the key ${key} does not exist`)
}

export function readDeclaredDocument ({ limits }: Store, { headers, payload }: Call): DeclaredBody {
  return readDeclaredBody(headers, payload, limits.documentBytesMax)
}

export async function readDocument (
  call: Call, declared: DeclaredBody, root: string
): Promise<{ readonly [name: string]: unknown }> {
  const pieces: Buffer[] = []
  await receiveBody(call.body, declared, async (piece) => { pieces.push(piece) })
  return readXml(Buffer.concat(pieces).toString('utf8'), root)
}

/** A whole number from the query, no larger than what S3 gives out at once. */
export function readCount (call: Call, name: string, max: number): number {
  const text = call.query.get(name)
  if (text === undefined || text === '') return max
  if (!/^\d{1,9}$/.test(text)) throw refusal('InvalidArgument', `${name} must be a number from 0 to 2147483647`)
  return Math.min(Number(text), max)
}
