// AWS Signature Version 4 as S3 has it, checked from the server's side
// (Amazon S3 API Reference, "Authenticating Requests": by the Authorization header and by query parameters).
//
// S3 differs from the other services in two ways: the path is percent-encoded once and never
// normalised, and the payload's hash may be replaced by a word that says how the payload is covered.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { refusal } from './errors.ts'
import { decoded } from './keys.ts'
import { readClaim, type Claim } from './sigv4-claim.ts'

/** Whose signature is accepted. */
export interface Authority {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** What of a request is signed, and where its signature stands. */
export interface RequestHead {
  readonly method: string
  /** As it came, percent-encoded, without the query. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly headers: IncomingHttpHeaders
  /** Every value of a header that was sent more than once. */
  readonly headerValues: NodeJS.Dict<string[]>
}

/** How the payload is covered, and so how it is framed (x-amz-content-sha256). */
export type Payload =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'signed', readonly sha256: string }
  | { readonly kind: 'chunked', readonly signer: ChunkSigner | undefined }

const SKEW_MS_MAX = 15 * 60_000
const EMPTY_SHA256 = createHash('sha256').digest('hex')

/**
 * Resolves who sent it, or refuses. A signed payload is only declared here: whoever reads the body
 * has to verify it against what this returns.
 */
export function authenticate (head: RequestHead, authority: Authority, now: number): Payload {
  const claim = readClaim(head)
  if (claim.accessKeyId !== authority.accessKeyId) {
    throw refusal('InvalidAccessKeyId', `the access key ${claim.accessKeyId} does not exist here`)
  }
  checkScope(claim, authority.region)
  checkTime(claim, now)
  checkCoverage(head, claim)
  const key = signingKey(authority.secretAccessKey, claim)
  const due = hmac(key, stringToSign(claim, canonicalRequest(head, claim))).toString('hex')
  if (!isSame(due, claim.signature)) {
    throw refusal('SignatureDoesNotMatch',
      'the request signature we calculated does not match the signature you provided; check your secret access key')
  }
  return readPayload(claim, key)
}

function checkScope (claim: Claim, region: string): void {
  if (claim.region !== region) {
    throw refusal('AuthorizationHeaderMalformed',
      `the region '${claim.region}' is wrong; expecting '${region}'`, { 'x-amz-bucket-region': region })
  }
  if (claim.service !== 's3' || claim.terminator !== 'aws4_request' || !claim.timestamp.startsWith(claim.date)) {
    throw refusal('AuthorizationHeaderMalformed', `the credential's scope ${scopeOf(claim)} is not one for S3 at ${claim.timestamp}`)
  }
}

function checkTime (claim: Claim, now: number): void {
  const age = now - claim.signedAt
  if (claim.expiresSeconds === undefined && Math.abs(age) > SKEW_MS_MAX) {
    throw refusal('RequestTimeTooSkewed',
      `the request was signed at ${claim.timestamp} and the time here is ${new Date(now).toISOString()}; set the clocks`)
  }
  if (claim.expiresSeconds !== undefined && age > claim.expiresSeconds * 1000) {
    throw refusal('AccessDenied', 'request has expired')
  }
  if (age < -SKEW_MS_MAX) throw refusal('AccessDenied', 'request is not valid yet')
}

/** An x-amz-* header that is not signed could have been added on the way, a copy source for instance. */
function checkCoverage ({ headers }: RequestHead, { signedHeaders }: Claim): void {
  const due = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))]
  const missing = due.filter((name) => !signedHeaders.includes(name))
  if (missing.length > 0) {
    throw refusal('AccessDenied', `there were headers present in the request which were not signed: ${missing.join(', ')}`)
  }
}

function canonicalRequest ({ method, path, query, headerValues }: RequestHead, claim: Claim): string {
  const pairs = query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(([a, x], [b, y]) => compareAscii(a, b) || compareAscii(x, y))
  const headers = claim.signedHeaders.map((name) =>
    `${name}:${(headerValues[name] ?? []).map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`)
  return [
    method,
    encodeStrictly(decoded(path) ?? path).replaceAll('%2F', '/'),
    pairs.map(([name, value]) => `${name}=${value}`).join('&'),
    headers.join(''),
    claim.signedHeaders.join(';'),
    claim.payload
  ].join('\n')
}

function stringToSign (claim: Claim, canonical: string): string {
  // A header's bytes come from node:http as one character each, and were signed as bytes.
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex')
  return ['AWS4-HMAC-SHA256', claim.timestamp, scopeOf(claim), hash].join('\n')
}

function signingKey (secret: string, { date, region, service }: Claim): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`))
}

function readPayload (claim: Claim, key: Buffer): Payload {
  switch (claim.payload) {
    case 'UNSIGNED-PAYLOAD': return { kind: 'unsigned' }
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER': return { kind: 'chunked', signer: undefined }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', signer: new ChunkSigner(claim, key) }
    default:
      if (/^[0-9a-f]{64}$/.test(claim.payload)) return { kind: 'signed', sha256: claim.payload }
      throw refusal('InvalidArgument',
        `x-amz-content-sha256 must be a valid value, and ${claim.payload} is none this store knows`)
  }
}

/**
 * The signatures of one body's chunks. Each covers the one before it, so none can be dropped, added
 * or moved ("Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks").
 */
export class ChunkSigner {
  readonly #claim: Claim
  readonly #key: Buffer
  #previous: string

  constructor (claim: Claim, key: Buffer) {
    this.#claim = claim
    this.#key = key
    this.#previous = claim.signature
  }

  checkChunk (sha256: string, signature: string): void {
    this.#check(['AWS4-HMAC-SHA256-PAYLOAD', this.#previous, EMPTY_SHA256, sha256], signature)
  }

  /** `sha256` is that of the trailing headers, each as `name:value` and a line feed. */
  checkTrailer (sha256: string, signature: string): void {
    this.#check(['AWS4-HMAC-SHA256-TRAILER', this.#previous, sha256], signature)
  }

  #check ([algorithm, ...rest]: string[], signature: string): void {
    const text = [algorithm, this.#claim.timestamp, scopeOf(this.#claim), ...rest].join('\n')
    const due = hmac(this.#key, text).toString('hex')
    if (!isSame(due, signature)) {
      throw refusal('SignatureDoesNotMatch', 'a chunk of the body does not match the signature that came with it')
    }
    this.#previous = due
  }
}

function scopeOf ({ date, region, service, terminator }: Claim): string {
  return `${date}/${region}/${service}/${terminator}`
}

/** RFC 3986: all but the unreserved characters are encoded. */
export function encodeStrictly (text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function hmac (key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Takes the same time wherever they differ, so that a signature cannot be found byte by byte. */
function isSame (due: string, given: string): boolean {
  const [a, b] = [Buffer.from(due), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function compareAscii (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
