// Any S3 server, through @aws-sdk/client-s3. Trouble is turned into outcomes in s3-outcomes.ts; which
// sums go along and are compared stands in s3-integrity.ts.

import {
  GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3ServiceException,
  type S3Client
} from '@aws-sdk/client-s3'
import type { ObjectStore, ProbeOutcome, PutOutcome, StoreObject } from './object-store.ts'
import { createClient, sendWith, type ClientOptions } from './s3-client.ts'
import { agrees, sumsOf, type Integrity } from './s3-integrity.ts'
import { formatMetadata } from './s3-metadata.ts'
import { MultipartPuts } from './s3-multipart.ts'
import { found, leavesPutsOpen, readOutcome, type Target } from './s3-outcomes.ts'
import { attempt } from './s3-request.ts'

/** The agents are closed with the store. */
export interface S3Options extends ClientOptions {
  readonly bucket: string
  /** Never overwrites. A server that does not know If-None-Match may answer 501. */
  readonly ifNoneMatch: boolean
  readonly integrity: Integrity
  /** Larger objects go in parts of this size; S3 takes none below 5 MiB but the last. */
  readonly partBytes: number
}

interface Store {
  readonly client: S3Client
  readonly target: Target
  readonly options: S3Options
  readonly multipart: MultipartPuts
}

/** Asks the store nothing: what is wrong with its name or its key is an outcome of the first put or probe. */
export function createS3Store (options: S3Options): ObjectStore {
  const client = createClient(options)
  const store: Store = { client, target: targetOf(options), options, multipart: new MultipartPuts(client, options) }
  return {
    place: placeOf(options),
    bucket: options.bucket,
    put: (object, signal) => put(store, object, signal),
    get: (key, signal) => get(store, key, signal),
    probe: (signal) => probe(store, signal),
    close: () => store.client.destroy()
  }
}

async function put (store: Store, object: StoreObject, signal: AbortSignal): Promise<PutOutcome> {
  const { client, target, options: { bucket, ifNoneMatch, integrity } } = store
  const metadata = formatMetadata(object.metadata)
  if (metadata === undefined) return readOutcome(found('BadMetadataName'), target)
  if (object.body.length > store.options.partBytes) return await putInParts(store, object, metadata, signal)
  const sums = sumsOf(object, integrity)
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: object.key,
    Body: object.body,
    ContentLength: object.body.length,
    ContentType: object.contentType,
    Metadata: metadata,
    ...sums,
    ...(ifNoneMatch ? { IfNoneMatch: '*' } : {})
  })
  try {
    const { sha256 } = object
    const answer = await attempt(signal, (abortSignal) => sendWith(client, command, { sha256, abortSignal }))
    if (answer.ETag === undefined) return readOutcome(found('NoETag'), target)
    if (!agrees(answer, sums)) return readOutcome(found('OtherBytes'), target)
    return { kind: 'stored', etag: unquoted(answer.ETag) }
  } catch (error) {
    return ifNoneMatch && isTaken(error) ? await compare(store, object, signal) : readOutcome(error, target)
  }
}

async function putInParts (
  store: Store, object: StoreObject, metadata: Readonly<Record<string, string>>, signal: AbortSignal
): Promise<PutOutcome> {
  const { target, multipart, options: { ifNoneMatch } } = store
  let outcome: PutOutcome
  try {
    const etag = await multipart.put(object, metadata, signal)
    if (etag !== undefined) return { kind: 'stored', etag: unquoted(etag) }
    outcome = await compare(store, object, signal)
    const isMissing = outcome.kind === 'refused' || (outcome.kind === 'unavailable' && outcome.reason === 'no_bucket')
    if (isMissing) outcome = readOutcome(found('NoSuchUpload'), target)
  } catch (error) {
    outcome = ifNoneMatch && isTaken(error) ? await compare(store, object, signal) : readOutcome(error, target)
  }
  if (outcome.kind !== 'unavailable') multipart.giveUp(object.key)
  return outcome
}

function isTaken (error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412
}

/** The key is taken: by this object, put earlier with the answer lost on the way, or by another one. */
async function compare (store: Store, object: StoreObject, signal: AbortSignal): Promise<PutOutcome> {
  const { client, target, options: { bucket } } = store
  const command = new HeadObjectCommand({ Bucket: bucket, Key: object.key })
  try {
    const there = await attempt(signal, (abortSignal) => client.send(command, { abortSignal }))
    const sha256 = there.Metadata?.['sha256'] ?? object.sha256
    const same = there.ContentLength === object.body.length && sha256 === object.sha256
    if (!same) return readOutcome(found('KeyTaken'), target)
    return { kind: 'stored', etag: unquoted(there.ETag ?? '') }
  } catch (error) {
    return readOutcome(error, target)
  }
}

async function get (store: Store, key: string, signal: AbortSignal): Promise<Buffer | undefined> {
  const { client, target, options: { bucket } } = store
  const command = new GetObjectCommand({ Bucket: bucket, Key: key })
  try {
    return await attempt(signal, async (abortSignal) => {
      const { Body } = await client.send(command, { abortSignal })
      return Buffer.from(await Body?.transformToByteArray() ?? [])
    })
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw new Error(readOutcome(error, target).detail, { cause: error })
  }
}

/** By a listing of nothing: the answer to a HEAD has no body, and so no word about what is wrong with the key. */
async function probe (store: Store, signal: AbortSignal): Promise<ProbeOutcome> {
  const { client, target, options: { bucket } } = store
  try {
    const command = new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 0 })
    await attempt(signal, (abortSignal) => client.send(command, { abortSignal }))
    return { kind: 'available' }
  } catch (error) {
    const { detail, ...outcome } = readOutcome(error, target)
    const reason = outcome.kind === 'unavailable' ? outcome.reason : 'server_error'
    return { kind: 'unavailable', reason, detail, ...(leavesPutsOpen(error) ? { mayPut: true } : {}) }
  }
}

function targetOf ({ endpoint, region, bucket, credentials, timeoutMs }: S3Options): Target {
  return {
    endpoint: endpoint === undefined ? `AWS in ${region}` : endpoint.replace(/\/+$/, ''),
    region,
    bucket,
    credentials: credentials === undefined ? 'the AWS credentials' : `key ${credentials.accessKeyId}`,
    timeoutMs
  }
}

function placeOf ({ endpoint, region, bucket }: S3Options): string {
  return endpoint === undefined ? `s3://${bucket} in ${region}` : `${endpoint.replace(/\/+$/, '')}/${bucket}`
}

function unquoted (etag: string): string {
  return etag.replace(/^"|"$/g, '')
}
