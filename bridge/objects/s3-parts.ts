// An object cut into parts, each with sums of its own.

import { createHash } from 'node:crypto'
import type { CompletedPart } from '@aws-sdk/client-s3'
import { crc32 } from '../crc32.ts'
import { sumsOf, type Integrity, type Sums } from './s3-integrity.ts'

export interface PartsOptions {
  readonly bucket: string
  readonly ifNoneMatch: boolean
  readonly integrity: Integrity
  readonly partBytes: number
}

/** An upload that the store knows, and what it has of it. */
export interface Upload {
  readonly key: string
  readonly id: string
  /** Hex, of the whole object. */
  readonly sha256: string
  /** By their number, from 1. */
  readonly parts: Map<number, CompletedPart>
}

export interface Part {
  readonly bytes: Buffer
  /** Hex. */
  readonly sha256: string
  readonly sums: Sums
}

type Cut = Pick<PartsOptions, 'integrity' | 'partBytes'>

export function countParts (body: Buffer, { partBytes }: Pick<Cut, 'partBytes'>): number {
  return Math.ceil(body.length / partBytes)
}

export function readPart (body: Buffer, number: number, { integrity, partBytes }: Cut): Part {
  const bytes = body.subarray((number - 1) * partBytes, number * partBytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, sha256, sums: sumsOf({ body: bytes, sha256, crc32: integrity === 'crc32' ? crc32(bytes) : 0 }, integrity) }
}

/** As the upload is completed with it. */
export function completedPart (number: number, etag: string, { ContentMD5: _, ...kept }: Sums): CompletedPart {
  return { PartNumber: number, ETag: etag, ...kept }
}

/** The name that S3 has for what an upload is summed by; undefined where that is the MD5 in its ETags. */
export function checksumAlgorithm (integrity: Integrity): 'SHA256' | 'CRC32' | undefined {
  switch (integrity) {
    case 'sha256': return 'SHA256'
    case 'crc32': return 'CRC32'
    case 'md5': return undefined
  }
}
