// The body framing `aws-chunked` (Amazon S3 API Reference, "Transferring Payload in Multiple Chunks"):
//
//   chunk    = hex-size [";chunk-signature=" 64-hex] CRLF  bytes  CRLF
//   body     = *chunk  last-chunk  *( name ":" value CRLF )  CRLF      last-chunk is one of size 0
//
// With STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER] every chunk is signed, the last one too, and a
// trailer ends with x-amz-trailer-signature; with STREAMING-UNSIGNED-PAYLOAD-TRAILER nothing is.
// Trailing headers carry the checksum of a body that was not known when it started.

import { createHash } from 'node:crypto'
import { refusal } from './errors.ts'
import type { ChunkSigner } from './sigv4.ts'

/** Of a chunk's header or a trailing header; the longest there is, a signed chunk's, is not 100. */
const lineBytesMax = 1024
const trailersMax = 16

export interface ChunkedBody {
  /** Not to be trusted before the generator has returned: a signature follows its bytes. */
  readonly payload: AsyncGenerator<Buffer>
  /** Trailing headers in lower case, filled in when the payload has ended. */
  readonly trailers: ReadonlyMap<string, string>
}

export function decodeAwsChunked (source: AsyncIterable<Buffer>, signer: ChunkSigner | undefined): ChunkedBody {
  const trailers = new Map<string, string>()
  return { payload: decode(new ByteReader(source), signer, trailers), trailers }
}

async function * decode (
  reader: ByteReader, signer: ChunkSigner | undefined, trailers: Map<string, string>
): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytes, signature } = readChunkHeader(await reader.line())
    const sha256 = createHash('sha256')
    for await (const piece of reader.take(bytes)) {
      if (signer !== undefined) sha256.update(piece)
      yield piece
    }
    signer?.checkChunk(sha256.digest('hex'), signature)
    if (bytes === 0) break
    if (await reader.line() !== '') throw malformed('a chunk is longer than it says')
  }
  await readTrailers(reader, signer, trailers)
}

function readChunkHeader (line: string): { bytes: number, signature: string } {
  const match = /^([0-9a-f]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line)
  if (match?.[1] === undefined) throw malformed('a chunk does not start with its size')
  return { bytes: parseInt(match[1], 16), signature: match[2] ?? '' }
}

async function readTrailers (
  reader: ByteReader, signer: ChunkSigner | undefined, trailers: Map<string, string>
): Promise<void> {
  const sha256 = createHash('sha256')
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    if (trailers.size === trailersMax) throw malformed('there are too many trailing headers')
    const [name = '', ...value] = line.split(':')
    trailers.set(name.trim().toLowerCase(), value.join(':').trim())
    if (name !== 'x-amz-trailer-signature') sha256.update(`${name.trim().toLowerCase()}:${value.join(':').trim()}\n`)
  }
  if (signer !== undefined && trailers.size > 0) {
    signer.checkTrailer(sha256.digest('hex'), trailers.get('x-amz-trailer-signature') ?? '')
  }
}

/** Reads lines and counted bytes off a stream of buffers; holds one buffer, and a line at most. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor (source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next line without its CRLF. */
  async line (): Promise<string> {
    let end = this.#rest.indexOf('\r\n')
    while (end < 0) {
      if (this.#rest.length > lineBytesMax) throw malformed('a line is too long')
      this.#rest = Buffer.concat([this.#rest, await this.#next()])
      end = this.#rest.indexOf('\r\n')
    }
    const line = this.#rest.toString('latin1', 0, end)
    this.#rest = this.#rest.subarray(end + 2)
    return line
  }

  /** The next `bytes` bytes, in pieces as they come. */
  async * take (bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) this.#rest = await this.#next()
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  async #next (): Promise<Buffer> {
    const { value, done } = await this.#source.next()
    if (done === true) throw refusal('IncompleteBody', 'the body ended before its last chunk')
    return value
  }
}

function malformed (what: string) {
  return refusal('IncompleteBody', `the body's aws-chunked framing is wrong: ${what}`)
}
