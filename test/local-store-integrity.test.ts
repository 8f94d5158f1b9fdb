import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { HeadObjectCommand, PutObjectCommand, type ChecksumAlgorithm } from '@aws-sdk/client-s3'
import { Digests } from '../bridge/local-store/checksums.ts'
import { eventually } from './helpers/eventually.ts'
import { bucket, createTestClient, get, listDrafts, startTestStore } from './helpers/local-store.ts'
import { send, sign } from './helpers/s3-requests.ts'

const image = randomBytes(250_000)
const path = `/${bucket}/a`
const base64 = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('base64')

test('every checksum is that of its catalogue', () => {
  const algorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'md5'] as const
  const digests = new Digests(new Set(algorithms))
  for (const piece of ['1234', '', '56789']) digests.update(Buffer.from(piece))
  assert.deepEqual(algorithms.slice(0, 3).map((name) => digests.end(name).toString('hex')), ['cbf43926', 'e3069283', 'ae8b14860a799888'])
  for (const name of algorithms.slice(3)) assert.equal(digests.end(name).toString('base64'), base64(name, Buffer.from('123456789')))
})

test('the ETag is the MD5, and the checksum that was sent is given back to who asks', async (t) => {
  const { client } = await startTestStore(t)
  for (const ChecksumAlgorithm of ['CRC32', 'SHA1', 'SHA256'] satisfies ChecksumAlgorithm[]) {
    const name = { Bucket: bucket, Key: ChecksumAlgorithm }
    const put = await client.send(new PutObjectCommand({ ...name, Body: image, ChecksumAlgorithm }))
    const head = await client.send(new HeadObjectCommand({ ...name, ChecksumMode: 'ENABLED' }))
    assert.equal(head.ETag, `"${createHash('md5').update(image).digest('hex')}"`)
    assert.ok(put[`Checksum${ChecksumAlgorithm}`])
    assert.equal(head[`Checksum${ChecksumAlgorithm}`], put[`Checksum${ChecksumAlgorithm}`])
  }
})

test('bytes that are not what a checksum or Content-MD5 says are refused and not stored', async (t) => {
  const { endpoint, client, dir } = await startTestStore(t)
  const other = Buffer.from('other')
  const cases: [Record<string, string>, string | undefined][] = [
    [{ 'content-md5': base64('md5', other) }, 'BadDigest'],
    [{ 'content-md5': 'not base64' }, 'InvalidDigest'],
    [{ 'content-md5': base64('sha1', image) }, 'InvalidDigest'],
    [{ 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    [{ 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'BadDigest'],
    [{ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'BadDigest'],
    [{ 'x-amz-checksum-sha1': base64('sha1', other) }, 'BadDigest'],
    [{ 'x-amz-checksum-sha256': base64('sha256', other) }, 'BadDigest'],
    [{ 'x-amz-checksum-sha256': base64('sha1', image) }, 'InvalidRequest'],
    [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': base64('sha1', image) }, 'InvalidRequest']
  ]
  for (const [headers, code] of cases) {
    assert.equal((await send({ endpoint, method: 'PUT', path, headers, body: image })).code, code, JSON.stringify(headers))
  }
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
  assert.deepEqual(await listDrafts(dir), [])
  const headers = { 'content-md5': base64('md5', image), 'x-amz-checksum-sha256': base64('sha256', image) }
  assert.equal((await send({ endpoint, method: 'PUT', path, headers, body: image })).status, 200)
})

test('a body of unknown length is refused, and one that breaks off leaves nothing', async (t) => {
  const { endpoint, client, dir } = await startTestStore(t)
  const { headers } = sign({ endpoint, method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' })
  const { hostname: host, port } = new URL(endpoint)
  const outgoing = request({ host, port, method: 'PUT', path, headers: { ...headers, 'content-length': image.length } })
  outgoing.on('error', () => {})
  outgoing.write(image.subarray(0, 100_000))
  await eventually(async () => (await listDrafts(dir)).length === 1)
  outgoing.destroy()
  await eventually(async () => (await listDrafts(dir)).length === 0)
  await assert.rejects(get(client, 'a'), { name: 'NoSuchKey' })
  const chunked = await send({ endpoint, method: 'PUT', path, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', body: '0\r\n\r\n' })
  assert.deepEqual([chunked.status, chunked.code], [411, 'MissingContentLength'])
})

test('a stream of known length is stored as it was, whatever framing the client gives it', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const zipped = gzipSync(image)
  const body = () => Readable.from([zipped.subarray(0, 1000), zipped.subarray(1000)])
  const plain = createTestClient(endpoint, { requestChecksumCalculation: 'WHEN_REQUIRED' })
  t.after(() => { plain.destroy() })
  for (const sender of [client, plain]) {
    await sender.send(new PutObjectCommand(
      { Bucket: bucket, Key: 'a', Body: body(), ContentLength: zipped.length, ContentEncoding: 'gzip' }))
    const { bytes, ContentEncoding } = await get(client, 'a')
    assert.deepEqual([bytes.equals(zipped), ContentEncoding], [true, 'gzip'])
  }
})

test('a client that asks before it sends is told to go on, or is refused before it sent anything', async (t) => {
  const { endpoint, faults } = await startTestStore(t)
  const { hostname: host, port } = new URL(endpoint)
  const ask = async (secretAccessKey?: string) => {
    const signed = sign({
      endpoint, method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD', ...secretAccessKey === undefined ? {} : { secretAccessKey }
    })
    const headers = { ...signed.headers, 'content-length': image.length, expect: '100-continue' }
    const outgoing = request({ host, port, method: 'PUT', path, headers })
    outgoing.on('continue', () => { outgoing.end(image) })
    outgoing.flushHeaders()
    const status = await new Promise((resolve, reject) => {
      outgoing.on('response', (response) => { resolve(response.resume().statusCode) })
      outgoing.on('error', reject)
    })
    outgoing.destroy()
    return status
  }
  assert.equal(await ask('wrong'), 403)
  assert.equal(faults.counts().bodyBytes, 0)
  assert.equal(await ask(), 200)
  assert.equal(faults.counts().bodyBytes, image.length)
})

test('memory stays where it was while an object of many times that size goes through', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  const { headers } = sign({ endpoint, method: 'PUT', path, payload: 'UNSIGNED-PAYLOAD' })
  const { hostname: host, port } = new URL(endpoint)
  const piece = Buffer.alloc(1024 * 1024)
  const pieces = 192
  const before = process.memoryUsage().rss
  let peak = 0
  const status = await new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method: 'PUT', path, headers: { ...headers, 'content-length': pieces * piece.length } })
    outgoing.on('response', (response) => { resolve(response.resume().statusCode) })
    outgoing.on('error', reject)
    Readable.from((function * () {
      for (let i = 0; i < pieces; i++) {
        peak = Math.max(peak, process.memoryUsage().rss)
        yield piece
      }
    })()).pipe(outgoing)
  })
  assert.equal(status, 200)
  t.diagnostic(`${((peak - before) / 1e6).toFixed(0)} MB more for an object of ${(pieces * piece.length / 1e6).toFixed(0)} MB`)
  assert.ok(peak - before < 100e6)
  assert.equal((await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a' }))).ContentLength, pieces * piece.length)
})
