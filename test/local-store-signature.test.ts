import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { crc32 } from 'node:zlib'
import { authenticate, type ChunkSigner } from '../bridge/local-store/sigv4.ts'
import { bucket, get, startTestStore } from './helpers/local-store.ts'
import {
  formatSignedChunks, formatUnsignedChunks, presign, send, sendAs, sha256, sign, type ChunkedBody, type S3Request
} from './helpers/s3-requests.ts'

const image = randomBytes(250_000)
const chunks = [image.subarray(0, 65_536), image.subarray(65_536, 200_000), image.subarray(200_000)]
const path = `/${bucket}/a`
const minute = 60_000

function crc32Base64 (data: Buffer): string {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(data))
  return value.toString('base64')
}

/** Puts the image in signed chunks; what is tampered with is so after it was signed. */
async function putSigned (endpoint: string, body: ChunkedBody, change = (framed: Buffer) => framed) {
  const trailer = body.trailers?.[0]?.[0]
  const request: S3Request = {
    endpoint,
    method: 'PUT',
    path,
    payload: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer === undefined ? '' : '-TRAILER'}`,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(image.length),
      ...trailer === undefined ? {} : { 'x-amz-trailer': trailer }
    }
  }
  const seed = sign(request)
  return await sendAs({ ...request, body: change(formatSignedChunks(body, seed)) }, seed.headers)
}

async function assertNothingStored (
  t: TestContext, refused: (endpoint: string) => Promise<string | undefined>, code: string
): Promise<void> {
  const { endpoint, client } = await startTestStore(t)
  assert.equal(await refused(endpoint), code)
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
}

test('the signatures are those of the examples that AWS publishes', () => {
  // Amazon S3 API Reference, "Signature Calculations for the Authorization Header", both pages.
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  const authority = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey, region: 'us-east-1' }
  const at = Date.UTC(2013, 4, 24)
  const credential = 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'
  type Query = [string, string][]
  const verify = (method: string, path: string, query: Query, headers: Record<string, string>, signature: string) => {
    const authorization = `${credential},SignedHeaders=${Object.keys(headers).sort().join(';')},Signature=${signature}`
    const all = { ...headers, authorization }
    const headerValues = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]]))
    return authenticate({ method, path, query, headers: all, headerValues }, authority, at)
  }
  const common = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': '20130524T000000Z', 'x-amz-content-sha256': sha256('') }
  verify('GET', '/test.txt', [], { ...common, range: 'bytes=0-9' },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
  verify('GET', '/', [['lifecycle', '']], common, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543')
  verify('GET', '/', [['max-keys', '2'], ['prefix', 'J']], common,
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
  const chunked = verify('PUT', '/examplebucket/chunkObject.txt', [], {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'content-length': '66824'
  }, '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9')
  const signer = (chunked as { signer: ChunkSigner }).signer
  signer.checkChunk(sha256(Buffer.alloc(65_536, 'a')), 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648')
  signer.checkChunk(sha256(Buffer.alloc(1024, 'a')), '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497')
  signer.checkChunk(sha256(''), 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9')
})

test('who signs with another secret, another key, or not at all, is refused and stores nothing', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const request = { endpoint, method: 'PUT', path, body: 'x' }
  const codes = [
    (await send({ ...request, secretAccessKey: 'wrong' })).code,
    (await send({ ...request, accessKeyId: 'WRONG' })).code,
    (await send({ ...request, region: 'eu-west-1' })).code,
    (await sendAs(request, {})).code,
    (await sendAs(request, { authorization: 'AWS AKIDEXAMPLE:signature' })).code,
    (await sendAs(request, { authorization: 'AWS4-HMAC-SHA256 nonsense', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).code
  ]
  assert.deepEqual(codes, [
    'SignatureDoesNotMatch', 'InvalidAccessKeyId', 'AuthorizationHeaderMalformed', 'AccessDenied', 'InvalidRequest',
    'AuthorizationHeaderMalformed'
  ])
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
})

test('a signature is good for its method, path, query and headers only', async (t) => {
  const { endpoint } = await startTestStore(t)
  const request = { endpoint, method: 'PUT', path, body: 'x', headers: { 'x-amz-meta-a': '1' } }
  const { headers } = sign(request)
  const codes = [
    (await sendAs({ ...request, method: 'DELETE' }, headers)).code,
    (await sendAs({ ...request, path: `/${bucket}/b` }, headers)).code,
    (await sendAs({ ...request, path: `${path}?x-id=PutObject` }, headers)).code,
    (await sendAs(request, { ...headers, 'x-amz-meta-a': '2' })).code,
    (await sendAs(request, { ...headers, 'x-amz-copy-source': `${bucket}/secret` })).code
  ]
  assert.deepEqual(codes, [...Array<string>(4).fill('SignatureDoesNotMatch'), 'AccessDenied'])
  assert.equal((await sendAs(request, headers)).status, 200)
})

test('a request signed more than 15 minutes from now is refused, whichever way', async (t) => {
  const { endpoint } = await startTestStore(t)
  const codeAt = async (offset: number) => (await send({ endpoint, method: 'GET', path: '/', at: new Date(Date.now() + offset) })).code
  assert.deepEqual([await codeAt(-14 * minute), await codeAt(14 * minute)], [undefined, undefined])
  assert.deepEqual([await codeAt(-16 * minute), await codeAt(16 * minute)], ['RequestTimeTooSkewed', 'RequestTimeTooSkewed'])
})

test('a body that is not the one that was signed is refused', async (t) => {
  await assertNothingStored(t, async (endpoint) => {
    const request = { endpoint, method: 'PUT', path, body: image }
    const { headers } = sign(request)
    const tampered = Buffer.from(image)
    tampered.writeUInt8(tampered.readUInt8(100_000) ^ 1, 100_000)
    return (await sendAs({ ...request, body: tampered }, headers)).code
  }, 'XAmzContentSHA256Mismatch')
})

test('a presigned URL gives what it was made for, until it expires', async (t) => {
  const { endpoint } = await startTestStore(t)
  type Presigned = Parameters<typeof presign>[0]
  const put: Presigned = { endpoint, method: 'PUT', path: `/${bucket}/a%20b.jpg`, body: image, expiresSeconds: 60 }
  assert.equal((await sendAs({ ...put, path: presign(put) }, {})).status, 200)
  const getIt: Presigned = { ...put, method: 'GET', body: '', path: `/${bucket}/a%20b.jpg?response-content-type=text%2Fplain` }
  const answer = await sendAs({ ...getIt, path: presign(getIt) }, {})
  assert.deepEqual([answer.body.equals(image), answer.headers['content-type']], [true, 'text/plain'])

  const refused = async (request: Presigned, change = (url: string) => url) =>
    (await sendAs({ ...request, path: change(presign(request)) }, {})).code
  assert.deepEqual([
    await refused({ ...getIt, at: new Date(Date.now() - 2 * minute) }),
    await refused({ ...getIt, at: new Date(Date.now() + 16 * minute) }),
    await refused(getIt, (url) => url.replace('a%20b', 'other')),
    await refused(getIt, (url) => url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000')),
    await refused({ ...getIt, expiresSeconds: 8 * 24 * 3600 })
  ], ['AccessDenied', 'AccessDenied', 'SignatureDoesNotMatch', 'SignatureDoesNotMatch', 'AuthorizationQueryParametersError'])
})

test('a body in signed chunks is stored without its framing', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  assert.equal((await putSigned(endpoint, { chunks })).status, 200)
  const { bytes, ContentEncoding } = await get(client, 'a')
  assert.deepEqual([bytes.equals(image), ContentEncoding], [true, undefined])
})

test('a body in signed chunks with a signed trailer is stored with its checksum', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const trailers = [['x-amz-checksum-crc32', crc32Base64(image)]] as const
  const answer = await putSigned(endpoint, { chunks, trailers })
  assert.deepEqual([answer.status, answer.headers['x-amz-checksum-crc32']], [200, crc32Base64(image)])
  assert.equal((await get(client, 'a')).ChecksumCRC32, crc32Base64(image))
})

test('a body in unsigned chunks is held to the checksum in its trailer', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const putWith = async (checksum: string) => await send({
    endpoint,
    method: 'PUT',
    path,
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: { 'x-amz-decoded-content-length': String(image.length), 'x-amz-trailer': 'x-amz-checksum-crc32' },
    body: formatUnsignedChunks({ chunks, trailers: [['x-amz-checksum-crc32', checksum]] })
  })
  assert.equal((await putWith('AAAAAA==')).code, 'BadDigest')
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
  assert.equal((await putWith(crc32Base64(image))).status, 200)
  assert.deepEqual((await get(client, 'a')).bytes, image)
})

test('a chunk that was changed, left out, or moved breaks the chain of signatures', async (t) => {
  const flip = (chunk: Buffer, index: number) => {
    if (index !== 1) return chunk
    const tampered = Buffer.from(chunk)
    tampered.writeUInt8(tampered.readUInt8(9) ^ 1, 9)
    return tampered
  }
  await assertNothingStored(t, async (endpoint) => (await putSigned(endpoint, { chunks, tamper: flip })).code, 'SignatureDoesNotMatch')
  const firstEnd = Buffer.byteLength(`10000;chunk-signature=${'0'.repeat(64)}\r\n`) + 65_536 + 2
  const leaveOut = (framed: Buffer) => framed.subarray(firstEnd)
  await assertNothingStored(t, async (endpoint) => (await putSigned(endpoint, { chunks }, leaveOut)).code, 'SignatureDoesNotMatch')
})

test('a trailer that was changed or taken off is noticed', async (t) => {
  const trailers = [['x-amz-checksum-crc32', crc32Base64(image)]] as const
  const change = (framed: Buffer) => Buffer.from(framed.toString('latin1').replace(crc32Base64(image), 'AAAAAA=='), 'latin1')
  await assertNothingStored(t, async (endpoint) => (await putSigned(endpoint, { chunks, trailers }, change)).code, 'SignatureDoesNotMatch')
  const takeOff = (framed: Buffer) => Buffer.concat([framed.subarray(0, framed.indexOf('x-amz-checksum')), Buffer.from('\r\n')])
  await assertNothingStored(t, async (endpoint) => (await putSigned(endpoint, { chunks, trailers }, takeOff)).code, 'InvalidRequest')
})

test('framing that is broken, too short or too long is refused', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const framed = formatUnsignedChunks({ chunks: [image] })
  const bodies = [
    framed.subarray(0, 1000), framed.subarray(0, -4), Buffer.from('zz\r\n'), Buffer.alloc(5000, 'a'), Buffer.alloc(0),
    formatUnsignedChunks({ chunks: [image.subarray(1)] }), formatUnsignedChunks({ chunks: [image, Buffer.from('x')] }),
    Buffer.concat([Buffer.from(`${(image.length - 1).toString(16)}\r\n`), image, Buffer.from('\r\n0\r\n\r\n')])
  ]
  for (const [i, body] of bodies.entries()) {
    const headers = { 'x-amz-decoded-content-length': String(image.length) }
    const answer = await send({ endpoint, method: 'PUT', path, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers, body })
    assert.deepEqual([answer.status, answer.code], [400, 'IncompleteBody'], `body ${i}`)
  }
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
})
