import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { crc32 } from 'node:zlib'
import { crc32c, Crc64Nvme } from './crc.ts'
import { refusal } from './errors.ts'

export const checksumAlgorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const
export type ChecksumAlgorithm = typeof checksumAlgorithms[number]

/** What a client says the body's checksum is: in a header, or to come in the trailer of that name. */
export type DeclaredChecksum =
  | { readonly kind: 'header', readonly algorithm: ChecksumAlgorithm, readonly value: string }
  | { readonly kind: 'trailer', readonly algorithm: ChecksumAlgorithm }

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  /** Base64 of the big-endian bytes. */
  readonly value: string
}

const valueBytes: Readonly<Record<ChecksumAlgorithm, number>> =
  { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 }

export function checksumHeader (algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm}`
}

/** Undefined where the client declares none; what cannot be one is refused, never ignored. */
export function readDeclaredChecksum (headers: IncomingHttpHeaders): DeclaredChecksum | undefined {
  const trailer = headers['x-amz-trailer']
  if (typeof trailer === 'string') {
    const algorithm = checksumAlgorithms.find((name) => checksumHeader(name) === trailer.trim().toLowerCase())
    if (algorithm === undefined) throw refusal('InvalidRequest', `the trailer ${trailer} is not supported`)
    return { kind: 'trailer', algorithm }
  }
  const declared = checksumAlgorithms.filter((name) => headers[checksumHeader(name)] !== undefined)
  const [algorithm, ...more] = declared
  if (algorithm === undefined) return undefined
  if (more.length > 0) throw refusal('InvalidRequest', 'expecting a single x-amz-checksum- header')
  return { kind: 'header', algorithm, value: readChecksumValue(algorithm, headers[checksumHeader(algorithm)]) }
}

export function readChecksumValue (algorithm: ChecksumAlgorithm, value: unknown): string {
  if (typeof value === 'string' && isBase64Of(value, valueBytes[algorithm])) return value
  throw refusal('InvalidRequest', `value for ${checksumHeader(algorithm)} header is invalid`)
}

/** The hex of a Content-MD5 header (RFC 1864). */
export function readContentMd5 (header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (!isBase64Of(header, 16)) throw refusal('InvalidDigest', 'the Content-MD5 you specified is not valid')
  return Buffer.from(header, 'base64').toString('hex')
}

function isBase64Of (text: string, bytes: number): boolean {
  const value = Buffer.from(text, 'base64')
  return value.length === bytes && value.toString('base64') === text
}

/** Digests of one body by several algorithms, each computed once however many ask for it. */
export class Digests {
  readonly #running = new Map<string, RunningDigest>()
  readonly #ended = new Map<string, Buffer>()

  constructor (algorithms: ReadonlySet<ChecksumAlgorithm | 'md5'>) {
    for (const algorithm of algorithms) this.#running.set(algorithm, startDigest(algorithm))
  }

  update (chunk: Buffer): void {
    for (const digest of this.#running.values()) digest.update(chunk)
  }

  /** Ends the digest: no update may follow. */
  end (algorithm: ChecksumAlgorithm | 'md5'): Buffer {
    const value = this.#ended.get(algorithm) ?? this.#running.get(algorithm)?.end()
    if (value === undefined) throw new Error(`no ${algorithm} was asked for`)
    this.#ended.set(algorithm, value)
    return value
  }
}

interface RunningDigest {
  update (chunk: Buffer): void
  end (): Buffer
}

function startDigest (algorithm: ChecksumAlgorithm | 'md5'): RunningDigest {
  switch (algorithm) {
    case 'crc32': return startCrc(crc32)
    case 'crc32c': return startCrc(crc32c)
    case 'crc64nvme': return new Crc64Nvme()
    case 'md5':
    case 'sha1':
    case 'sha256': {
      const hash = createHash(algorithm)
      return { update: (chunk) => { hash.update(chunk) }, end: () => hash.digest() }
    }
  }
}

function startCrc (extend: (chunk: Buffer, crc: number) => number): RunningDigest {
  let crc = 0
  return {
    update (chunk) { crc = extend(chunk, crc) },
    end () {
      const value = Buffer.alloc(4)
      value.writeUInt32BE(crc >>> 0)
      return value
    }
  }
}
