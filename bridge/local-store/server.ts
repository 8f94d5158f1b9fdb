// The embedded default store: an S3-compatible server on a folder, for a site that has no other. Sluice
// speaks to it over HTTP with the same client as to any store, and so can everybody else who has its keys.
//
//   the wire      listener, handler, target, operations, request-body, xml, errors
//   trust         sigv4, sigv4-claim, aws-chunked, body, checksums, crc
//   operations    buckets, read-object, write-object, list-objects, multipart, complete-upload, list-uploads
//   the disk      files, sidecar, drafts, uploads, listing, keys, directories, bucket-folders
//   misbehaving   faults

import type { Credentials } from './credentials.ts'
import { refusal } from './errors.ts'
import { FaultPlan, type Faults } from './faults.ts'
import { Files } from './files.ts'
import { handle } from './handler.ts'
import { parseBucket } from './keys.ts'
import { Listener } from './listener.ts'
import { Uploads } from './uploads.ts'

export { readOrCreateCredentials, type Credentials } from './credentials.ts'
export type { Counts, Faults, Knobs } from './faults.ts'

export interface LocalStoreOptions {
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string, readonly port: number }
  /** Where objects lie; files.ts says how. One process at a time. */
  readonly dir: string
  readonly credentials: Credentials
  readonly region?: string
  /** Made at the start where they are missing. */
  readonly buckets?: readonly string[]
  /** Told of what is the store's own fault: a full disk, a failed sync, a bug. The client gets a 5xx. */
  readonly onFault?: (cause: Error) => void
  /** Of one object, and of one request's body. */
  readonly objectBytesMax?: number
  /** Of an XML body, which is held in memory. */
  readonly documentBytesMax?: number
  readonly connectionsMax?: number
  /** A connection on which nothing moves for so long is closed. */
  readonly idleMsMax?: number
  /** How long running requests may take once the store is closing. */
  readonly closeMsMax?: number
}

export interface LocalStore {
  /** Such as `http://127.0.0.1:9000`. Buckets are addressed by path. */
  readonly endpoint: string
  readonly faults: Faults
  /** Running requests end first, for at most `closeMsMax`. */
  close (): Promise<void>
}

// 5 GiB is what S3 takes in one put; the document limit has room for 1,000 keys of 1,024 escaped bytes.
const limits = {
  objectBytesMax: 5 * 1024 ** 3,
  documentBytesMax: 8 * 1024 ** 2,
  connectionsMax: 1000,
  idleMsMax: 60_000,
  closeMsMax: 5_000
}

/** Resolves once it is listening. Rejects with the system's error where folder or port cannot be had. */
export async function startLocalStore (options: LocalStoreOptions): Promise<LocalStore> {
  const { listen, dir, region = 'us-east-1', credentials, onFault = () => {} } = options
  const files = await Files.open(dir)
  for (const name of options.buckets ?? []) {
    const bucket = parseBucket(name)
    if (bucket === undefined) throw refusal('InvalidBucketName', `'${name}' is not the name of a bucket: 3 to 63 of a-z, 0-9, - and .`)
    await files.buckets.create(bucket)
  }
  const { objectBytesMax, documentBytesMax, ...connections } = { ...limits, ...options }
  const store = { files, uploads: new Uploads(files), region, limits: { objectBytesMax, documentBytesMax } }
  const listener: Listener = new Listener({ ...connections, ...listen }, (request, response) => {
    void handle({ store, faults, authority: { ...credentials, region }, onFault }, request, response)
  })
  const faults: FaultPlan = new FaultPlan(listener)
  await listener.listen()
  return {
    endpoint: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listener.port}`,
    faults,
    close: async () => { await listener.close() }
  }
}
