// A put in the short way. The client's chain of some twenty middlewares takes 0.3 ms of the main thread to make, for
// every put, the request it made for the one before with another key, another body and other sums. So the chain makes
// the first one; where a request filled in from it is the very one that the chain has made, those that follow are
// filled in, signed by the client's signer and given to its handler. An answer that is no success goes through the
// chain like any other, and the chain makes the next request: what errors mean, clocks that differ, regions and
// redirects stay the client's business.

import type { IncomingMessage } from 'node:http'
import type { PutObjectCommandInput, PutObjectCommandOutput, S3Client } from '@aws-sdk/client-s3'
import type { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'

export type HttpRequest = Parameters<NodeHttpHandler['handle']>[0]
export type HttpResponse = Awaited<ReturnType<NodeHttpHandler['handle']>>['response']

/** What the chain knows of a request beside its fields. */
export interface ChainContext {
  readonly signing_region?: string
  readonly signing_service?: string
  readonly authSchemes?: ReadonlyArray<{ readonly name: string }>
}

interface Form {
  readonly request: HttpRequest
  readonly bucket: string | undefined
  /** What stands before the key. */
  readonly path: string
  readonly signer: SignatureV4
}

/** Made anew for each request; the client's retries name it, and there are none. */
const OF_ONE_REQUEST = [
  'authorization', 'x-amz-date', 'x-amz-security-token', 'amz-sdk-invocation-id', 'amz-sdk-request'
]

export class PutShortcut {
  readonly #config: S3Client['config']
  #form: Form | undefined

  constructor (client: S3Client) {
    this.#config = client.config
  }

  /** From the request that the chain has made for this input, signed with that hash. */
  learn (input: PutObjectCommandInput, sha256: string, request: HttpRequest, context: ChainContext): void {
    this.#form = this.#formOf(input, sha256, request, context)
  }

  /** The chain makes the next request. */
  forget (): void { this.#form = undefined }

  /** Signed; undefined where the chain has to make it. */
  async request (input: PutObjectCommandInput, sha256: string | undefined): Promise<HttpRequest | undefined> {
    const form = this.#form
    const request = form && sha256 !== undefined && fillIn(form, input, sha256)
    if (!form || !request) return undefined
    const signingDate = new Date(Date.now() + this.#config.systemClockOffset)
    return await form.signer.sign(request, { signingDate }) as HttpRequest // it signs a copy of what it is given
  }

  #formOf (
    input: PutObjectCommandInput, sha256: string, request: HttpRequest, context: ChainContext
  ): Form | undefined {
    const { signing_region: region, signing_service: service, authSchemes } = context
    const ending = `/${escapeKey(input.Key ?? '')}`
    if (region === undefined || service !== 's3' || authSchemes?.[0]?.name !== 'sigv4') return undefined
    if (!request.path.endsWith(ending)) return undefined
    const { credentials, sha256: Sha256 } = this.#config
    const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, uriEscapePath: false })
    const path = request.path.slice(0, -ending.length)
    const form = { request: { ...request, body: undefined } as HttpRequest, bucket: input.Bucket, path, signer }
    const filledIn = fillIn(form, input, sha256)
    return filledIn !== undefined && isSame(filledIn, request) ? form : undefined
  }
}

/** The fields of the answer that anybody looks at, once its body has been read. */
export async function readAnswer ({ statusCode, headers, body }: HttpResponse): Promise<PutObjectCommandOutput> {
  await drained(body as IncomingMessage)
  return {
    ETag: headers['etag'],
    ChecksumSHA256: headers['x-amz-checksum-sha256'],
    ChecksumCRC32: headers['x-amz-checksum-crc32'],
    ServerSideEncryption: headers['x-amz-server-side-encryption'] as PutObjectCommandOutput['ServerSideEncryption'],
    SSECustomerAlgorithm: headers['x-amz-server-side-encryption-customer-algorithm'],
    $metadata: { httpStatusCode: statusCode }
  }
}

/** Undefined for an input with other fields than these. */
function fillIn (
  { request, bucket, path }: Form, input: PutObjectCommandInput, sha256: string
): HttpRequest | undefined {
  const {
    Bucket, Key = '', Body, ContentLength, ContentType, Metadata = {}, ChecksumSHA256, ChecksumCRC32, ContentMD5,
    IfNoneMatch, ...others
  } = input
  if (Bucket !== bucket || Object.keys(others).length > 0) return undefined
  const headers: Record<string, string | undefined> = {
    host: request.headers['host'],
    'content-length': ContentLength?.toString(),
    'content-type': ContentType,
    'content-md5': ContentMD5,
    'if-none-match': IfNoneMatch,
    'x-amz-checksum-sha256': ChecksumSHA256,
    'x-amz-checksum-crc32': ChecksumCRC32,
    'x-amz-content-sha256': sha256
  }
  for (const name in Metadata) headers[`x-amz-meta-${name.toLowerCase()}`] = Metadata[name]
  for (const name in headers) if (headers[name] === undefined) Reflect.deleteProperty(headers, name)
  const { method, protocol, hostname, port, query } = request
  // What the signer copies and the handler sends of a request is these.
  return { method, protocol, hostname, port, query, path: `${path}/${escapeKey(Key)}`, headers, body: Body } as HttpRequest
}

function isSame (filledIn: HttpRequest, made: HttpRequest): boolean {
  return filledIn.body === made.body && describe(filledIn) === describe(made)
}

function describe ({ method, protocol, hostname, port, path, query, headers }: HttpRequest): string {
  const named = Object.entries(headers).filter(([name]) => !OF_ONE_REQUEST.includes(name)).sort()
  return JSON.stringify([method, protocol, hostname, port, path, query, named])
}

// RFC 3986 section 2.3: unreserved characters stand as they are, and slashes divide a key.
function escapeKey (key: string): string {
  return key.split('/').map((part) => encodeURIComponent(part).replace(/[!'()*]/g, escapeCharacter)).join('/')
}

function escapeCharacter (character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function drained (body: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('end', resolve).on('error', reject).on('aborted', () => { reject(body.errored ?? new Error('aborted')) })
    body.resume()
  })
}
