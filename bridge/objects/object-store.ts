/**
 * Where images end up: the whole of what Sluice asks of a store. Every implementation passes
 * test/contract/object-store.ts. Expected trouble is an outcome; only a bug rejects.
 */
export interface ObjectStore {
  /** For people: where images land, such as `http://127.0.0.1:9000/images`. */
  readonly place: string
  readonly bucket: string
  put (object: StoreObject, signal: AbortSignal): Promise<PutOutcome>
  /** Undefined where the key is not there. Rejects where the store cannot be reached. */
  get (key: string, signal: AbortSignal): Promise<Buffer | undefined>
  /** One small request that says whether puts can be expected to work. */
  probe (signal: AbortSignal): Promise<ProbeOutcome>
  close (): void
}

/** An image on its way into the store's custody. */
export interface StoreObject {
  readonly key: string
  readonly body: Buffer
  readonly contentType: string
  /**
   * Any text, under names of letters, digits and `. _ -`; 2 kB in all (S3 User Guide, "User-defined object
   * metadata").
   */
  readonly metadata: Readonly<Record<string, string>>
  /** Hex, of the whole body. */
  readonly sha256: string
  readonly crc32: number
  /** ms since epoch. Of what is older than this process, parts may be at the store already. */
  readonly receivedAt?: number
}

/**
 * - stored       the object is durable at the store
 * - unavailable  the store's fault, or unknown whose: the same put may succeed later
 * - refused      the object's fault: the same put will never succeed
 */
export type PutOutcome =
  /** The ETag without its quotes. */
  | { readonly kind: 'stored', readonly etag: string }
  | { readonly kind: 'unavailable', readonly reason: UnavailableReason, readonly detail: string }
  | { readonly kind: 'refused', readonly reason: RefusedReason, readonly detail: string }

export type ProbeOutcome =
  | { readonly kind: 'available' }
  | {
    readonly kind: 'unavailable'
    readonly reason: UnavailableReason
    readonly detail: string
    /** The store takes the key, which may not look at the bucket: whether it may put is told by a put alone. */
    readonly mayPut?: boolean
  }

export type RefusedReason = 'too_large' | 'bad_key' | 'bad_metadata' | 'key_taken' | 'store_refused'

export type UnavailableReason =
  | 'timeout' | 'dns' | 'connect' | 'reset' | 'tls' | 'throttled'
  | 'server_error' | 'auth' | 'no_bucket' | 'checksum' | 'aborted'
