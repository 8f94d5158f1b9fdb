// Gets objects over plain HTTP, signed by the SDK's own signer. A get through the whole SDK costs more than a
// millisecond of processor time, and a judge that has 100,000 objects to read has not got them.

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { SignatureV4 } from '@smithy/signature-v4'

type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials']

export interface ReaderOptions {
  /** Such as `http://127.0.0.1:9000`; buckets are addressed by path. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly credentials: Credentials
  /** Without a byte. */
  readonly timeoutMs: number
}

const EMPTY_SHA256 = createHash('sha256').digest('hex')
const METADATA = 'x-amz-meta-'

export class ObjectReader {
  readonly #options: ReaderOptions
  readonly #url: URL
  readonly #agent: HttpAgent
  readonly #signer: SignatureV4

  constructor (options: ReaderOptions) {
    this.#options = options
    this.#url = new URL(options.endpoint)
    this.#agent = new (this.#isTls ? HttpsAgent : HttpAgent)({ keepAlive: true })
    const { credentials, region } = options
    this.#signer = new SignatureV4({ credentials, region, service: 's3', sha256: Sha256, uriEscapePath: false })
  }

  /** Rejects where the store answers with something else than the object. The body has to be read to its end. */
  async get (
    key: string, signal: AbortSignal, range?: string
  ): Promise<{ readonly body: AsyncIterable<Buffer>, readonly metadata: Readonly<Record<string, string>> }> {
    const { protocol, hostname, port, host } = this.#url
    const path = `/${this.#options.bucket}/${key.split('/').map(escape).join('/')}`
    const signed = await this.#signer.sign({
      method: 'GET',
      protocol,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ...(port !== '' && { port: Number(port) }),
      path,
      query: {},
      headers: { host, 'x-amz-content-sha256': EMPTY_SHA256, ...(range !== undefined && { range }) }
    })
    const response = await this.#ask(path, signed.headers, signal)
    if (response.statusCode !== 200 && response.statusCode !== 206) {
      response.resume()
      throw new Error(`the store answered ${response.statusCode} to a GET of ${key}`)
    }
    const metadata = Object.entries(response.headers).flatMap(([name, value]) =>
      name.startsWith(METADATA) && typeof value === 'string' ? [[name.slice(METADATA.length), value] as const] : [])
    return { body: response, metadata: Object.fromEntries(metadata) }
  }

  close (): void {
    this.#agent.destroy()
  }

  get #isTls (): boolean { return this.#url.protocol === 'https:' }

  #ask (path: string, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const ask = this.#isTls ? requestHttps : requestHttp
      const { hostname, port } = this.#url
      const options = { host: hostname.replace(/^\[|\]$/g, ''), port, path, headers, agent: this.#agent, signal }
      const request = ask(options, resolve)
      request.setTimeout(this.#options.timeoutMs, () => {
        request.destroy(new Error(`the store sent nothing for ${this.#options.timeoutMs} ms`))
      })
      request.on('error', reject).end()
    })
  }
}

/** RFC 3986, as S3 signs it. */
function escape (text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** What the signer wants of a hash (@smithy/types, ChecksumConstructor). */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined
  #hash: Hash | Hmac

  constructor (secret?: unknown) {
    this.#secret = typeof secret === 'string' || secret instanceof Uint8Array ? secret : undefined
    this.#hash = this.#begin()
  }

  update (data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest (): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset (): void {
    this.#hash = this.#begin()
  }

  #begin (): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret)
  }
}
