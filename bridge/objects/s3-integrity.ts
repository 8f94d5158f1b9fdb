// The sums that go with an object, and what the store's answer says about them.
//
// No body is hashed here but for Content-MD5. The SHA-256 we know signs the request (s3-client.ts), and the server
// compares it with what it read. A second sum goes along for the store to verify and keep. Content-MD5 and every
// `x-amz-` header are signed.

import { createHash } from 'node:crypto'
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3'
import type { StoreObject } from './object-store.ts'

/** What the store is asked to verify; old radosgw and Swift know only md5. */
export type Integrity = 'sha256' | 'md5' | 'crc32'

/** Base64, as S3 has them. */
export interface Sums {
  readonly ChecksumSHA256?: string
  readonly ChecksumCRC32?: string
  readonly ContentMD5?: string
}

export function sumsOf (
  { body, sha256, crc32 }: Pick<StoreObject, 'body' | 'sha256' | 'crc32'>, integrity: Integrity
): Sums {
  switch (integrity) {
    case 'sha256': return { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }
    case 'crc32': return { ChecksumCRC32: bigEndian(crc32).toString('base64') }
    case 'md5': return { ContentMD5: createHash('md5').update(body).digest('base64') }
  }
}

type Answer = Pick<PutObjectCommandOutput,
  'ETag' | 'ChecksumSHA256' | 'ChecksumCRC32' | 'ServerSideEncryption' | 'SSECustomerAlgorithm'>

/** False where the store says in its answer that it holds other bytes than these. */
export function agrees (answer: Answer, sums: Sums): boolean {
  const pairs = [
    [sums.ChecksumSHA256, answer.ChecksumSHA256],
    [sums.ChecksumCRC32, answer.ChecksumCRC32],
    [sums.ContentMD5, md5OfETag(answer)]
  ]
  return pairs.every(([ours, theirs]) => ours === undefined || theirs === undefined || ours === theirs)
}

// The ETag of a single put is its MD5, but not where the store encrypts with a key of its own or of the
// caller, although it has the same form (S3 API Reference, "Object").
function md5OfETag (answer: Answer): string | undefined {
  const hex = /^"([0-9a-f]{32})"$/i.exec(answer.ETag ?? '')?.[1]
  const { ServerSideEncryption = 'AES256', SSECustomerAlgorithm } = answer
  const plain = ServerSideEncryption === 'AES256' && SSECustomerAlgorithm === undefined
  return hex === undefined || !plain ? undefined : Buffer.from(hex, 'hex').toString('base64')
}

function bigEndian (uint32: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(uint32)
  return bytes
}
