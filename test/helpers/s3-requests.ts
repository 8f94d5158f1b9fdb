// Requests to an S3 server made by hand, so that each part of one can be wrong on purpose. The signing
// here shares nothing with the store's.

import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { credentials, region } from './local-store.ts'

export interface S3Request {
  readonly endpoint: string
  readonly method: string
  /** Percent-encoded, with the query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** x-amz-content-sha256; the body's hash unless given. */
  readonly payload?: string
  readonly secretAccessKey?: string
  readonly accessKeyId?: string
  readonly region?: string
  readonly at?: Date
}

export interface S3Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The Code of an error document. */
  readonly code: string | undefined
}

export interface Signature {
  readonly headers: Record<string, string>
  readonly signature: string
  readonly key: Buffer
  readonly scope: string
  readonly timestamp: string
}

/** Signs and sends; resolves with whatever is answered. */
export async function send (request: S3Request): Promise<S3Response> {
  return await sendAs(request, sign(request).headers)
}

/** Sends with these headers, signed or not. */
export async function sendAs (request: S3Request, headers: Record<string, string>): Promise<S3Response> {
  const body = Buffer.from(request.body ?? '')
  return await new Promise((resolve, reject) => {
    const url = new URL(request.endpoint)
    const outgoing = httpRequest({
      host: url.hostname,
      port: url.port,
      method: request.method,
      path: request.path,
      headers: { 'content-length': body.length, ...headers },
      agent: false
    }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => { pieces.push(piece) })
      response.on('error', reject)
      response.on('end', () => {
        const answer = Buffer.concat(pieces)
        const code = /<Code>(\w+)<\/Code>/.exec(answer.toString())?.[1]
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer, code })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export function sign (request: S3Request): Signature {
  const payload = request.payload ?? sha256(request.body ?? '')
  const { timestamp, date } = stamp(request.at)
  const headers: Record<string, string> = {
    host: new URL(request.endpoint).host, 'x-amz-date': timestamp, 'x-amz-content-sha256': payload, ...request.headers
  }
  const names = Object.keys(headers).map((name) => name.toLowerCase()).sort()
  const values = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]))
  const [path, query] = split(request.path)
  const canonical = [
    request.method, path, query, ...names.map((name) => `${name}:${values[name]}`), '', names.join(';'), payload
  ].join('\n')
  const { signature, key, scope } = compute(request, date, timestamp, canonical)
  const credential = `${request.accessKeyId ?? credentials.accessKeyId}/${scope}`
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { headers, signature, key, scope, timestamp }
}

/** The path and query of a presigned URL that signs no header but host. */
export function presign (request: S3Request & { readonly expiresSeconds: number }): string {
  const { timestamp, date } = stamp(request.at)
  const scope = `${date}/${request.region ?? region}/s3/aws4_request`
  const [path, query] = split(request.path)
  const pairs = [
    ...query.split('&').filter((pair) => pair !== ''),
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${request.accessKeyId ?? credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${timestamp}`,
    `X-Amz-Expires=${request.expiresSeconds}`,
    'X-Amz-SignedHeaders=host'
  ].sort()
  const host = new URL(request.endpoint).host
  const canonical = [request.method, path, pairs.join('&'), `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const { signature } = compute(request, date, timestamp, canonical)
  return `${path}?${pairs.join('&')}&X-Amz-Signature=${signature}`
}

export interface ChunkedBody {
  readonly chunks: readonly Buffer[]
  readonly trailers?: readonly (readonly [name: string, value: string])[]
  /** Changes a chunk after it was signed. */
  readonly tamper?: (chunk: Buffer, index: number) => Buffer
}

/** The aws-chunked framing, signed chunk by chunk from the request's own signature on. */
export function formatSignedChunks (body: ChunkedBody, seed: Signature): Buffer {
  const { chunks, trailers = [], tamper = (chunk: Buffer) => chunk } = body
  let previous = seed.signature
  const chain = (algorithm: string, ...hashes: string[]) => {
    const text = [algorithm, seed.timestamp, seed.scope, previous, ...hashes].join('\n')
    previous = hmac(seed.key, text).toString('hex')
    return previous
  }
  const framed = [...chunks, Buffer.alloc(0)].map((chunk, index) => {
    const signature = chain('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), sha256(chunk))
    const end = chunk.length === 0 ? '' : '\r\n'
    return Buffer.concat([
      Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signature}\r\n`), tamper(chunk, index), Buffer.from(end)
    ])
  })
  if (trailers.length === 0) return Buffer.concat([...framed, Buffer.from('\r\n')])
  const signature = chain('AWS4-HMAC-SHA256-TRAILER', sha256(trailers.map(([name, value]) => `${name}:${value}\n`).join('')))
  const lines = [...trailers, ['x-amz-trailer-signature', signature] as const].map(([name, value]) => `${name}:${value}\r\n`)
  return Buffer.concat([...framed, Buffer.from(`${lines.join('')}\r\n`)])
}

export function formatUnsignedChunks ({ chunks, trailers = [] }: ChunkedBody): Buffer {
  const framed = chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
  const lines = trailers.map(([name, value]) => `${name}:${value}\r\n`).join('')
  return Buffer.concat([...framed, Buffer.from(`0\r\n${lines}\r\n`)])
}

export function sha256 (data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function compute (request: S3Request, date: string, timestamp: string, canonical: string) {
  const scope = [date, request.region ?? region, 's3', 'aws4_request']
  const secret = `AWS4${request.secretAccessKey ?? credentials.secretAccessKey}`
  const key = scope.reduce<Buffer>((parent, part) => hmac(parent, part), Buffer.from(secret))
  const hash = sha256(Buffer.from(canonical, 'latin1')) // header values are strings of one character a byte
  const text = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), hash].join('\n')
  return { signature: hmac(key, text).toString('hex'), key, scope: scope.join('/') }
}

function hmac (key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function stamp (at = new Date()): { timestamp: string, date: string } {
  const timestamp = at.toISOString().replace(/[-:]|\.\d{3}/g, '')
  return { timestamp, date: timestamp.slice(0, 8) }
}

/** The query in the order in which it is signed; a name without a value is signed with an equals sign. */
function split (target: string): [path: string, query: string] {
  const [path = '', query = ''] = target.split('?')
  const pairs = query.split('&').filter((pair) => pair !== '').map((pair) => pair.includes('=') ? pair : `${pair}=`)
  return [path, pairs.sort().join('&')]
}
