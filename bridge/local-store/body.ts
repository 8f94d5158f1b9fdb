import type { IncomingHttpHeaders } from 'node:http'
import { decodeAwsChunked } from './aws-chunked.ts'
import {
  checksumHeader, Digests, readChecksumValue, readContentMd5, readDeclaredChecksum,
  type Checksum, type ChecksumAlgorithm, type DeclaredChecksum
} from './checksums.ts'
import { refusal } from './errors.ts'
import type { Payload } from './sigv4.ts'

/** What a request says of its body before it sends it; all of it is verified. */
export interface DeclaredBody {
  /** Without framing. */
  readonly bytes: number
  readonly payload: Payload
  readonly md5: string | undefined
  readonly checksum: DeclaredChecksum | undefined
}

export interface ReceivedBody {
  readonly bytes: number
  /** Hex. */
  readonly md5: string
  readonly checksum: Checksum | undefined
}

/** Refuses a body whose length is not known before it is read, or is over the limit. */
export function readDeclaredBody (headers: IncomingHttpHeaders, payload: Payload, bytesMax: number): DeclaredBody {
  const length = payload.kind === 'chunked' ? headers['x-amz-decoded-content-length'] : headers['content-length']
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    throw refusal('MissingContentLength', 'you must provide the Content-Length HTTP header')
  }
  const bytes = Number(length)
  if (bytes > bytesMax) {
    throw refusal('EntityTooLarge', `${bytes} bytes are more than the ${bytesMax} that this store takes at once`)
  }
  const md5 = readContentMd5(headers['content-md5']?.toString())
  return { bytes, payload, md5, checksum: readDeclaredChecksum(headers) }
}

/**
 * Hands the payload to `write` piece by piece and digests it on the way. Rejects with a refusal where
 * it is not what was declared: then nothing that was written may be used.
 */
export async function receiveBody (
  source: AsyncIterable<Buffer>, declared: DeclaredBody, write: (piece: Buffer) => Promise<void>
): Promise<ReceivedBody> {
  const { payload, checksum } = declared
  const digests = new Digests(new Set(['md5', ...algorithmsOf(declared)] as const))
  const chunked = payload.kind === 'chunked' ? decodeAwsChunked(source, payload.signer) : undefined
  let bytes = 0
  for await (const piece of chunked?.payload ?? source) {
    bytes += piece.length
    if (bytes > declared.bytes) throw refusal('IncompleteBody', `the body is longer than the ${declared.bytes} bytes declared`)
    digests.update(piece)
    await write(piece)
  }
  if (bytes < declared.bytes) throw refusal('IncompleteBody', `the body ended after ${bytes} of ${declared.bytes} bytes`)
  return {
    bytes,
    md5: verifyHashes(digests, declared),
    checksum: checksum === undefined ? undefined : verifyChecksum(digests, checksum, chunked?.trailers)
  }
}

function algorithmsOf ({ payload, checksum }: DeclaredBody): ChecksumAlgorithm[] {
  return [
    ...(payload.kind === 'signed' ? ['sha256' as const] : []),
    ...(checksum === undefined ? [] : [checksum.algorithm])
  ]
}

/** Answers the MD5, which is the ETag too. */
function verifyHashes (digests: Digests, { payload, md5 }: DeclaredBody): string {
  if (payload.kind === 'signed' && digests.end('sha256').toString('hex') !== payload.sha256) {
    throw refusal('XAmzContentSHA256Mismatch', 'the provided x-amz-content-sha256 header does not match what was computed')
  }
  const computed = digests.end('md5').toString('hex')
  if (md5 !== undefined && md5 !== computed) {
    throw refusal('BadDigest', 'the Content-MD5 you specified did not match what we received')
  }
  return computed
}

function verifyChecksum (
  digests: Digests, declared: DeclaredChecksum, trailers: ReadonlyMap<string, string> | undefined
): Checksum {
  const { algorithm } = declared
  const due = declared.kind === 'header'
    ? declared.value
    : readChecksumValue(algorithm, trailers?.get(checksumHeader(algorithm)))
  const value = digests.end(algorithm).toString('base64')
  if (value !== due) {
    throw refusal('BadDigest', `the ${algorithm.toUpperCase()} you specified did not match the calculated checksum`)
  }
  return { algorithm, value }
}
