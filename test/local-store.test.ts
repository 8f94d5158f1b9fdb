import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, DeleteObjectsCommand,
  GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListBucketsCommand, PutObjectCommand
} from '@aws-sdk/client-s3'
import { startLocalStore } from '../bridge/local-store/server.ts'
import { bucket, createTestClient, credentials, get, listDrafts, makeFolder, startTestStore } from './helpers/local-store.ts'
import { send } from './helpers/s3-requests.ts'

const image = randomBytes(250_000)

test('an object comes back with its bytes, type, encoding and metadata', async (t) => {
  const { client } = await startTestStore(t)
  const stored = { ContentType: 'image/jpeg', ContentEncoding: 'gzip', CacheControl: 'no-cache', Metadata: { 'device-id': 'cam-1' } }
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: image, ...stored }))
  const { bytes, ContentType, ContentEncoding, CacheControl, Metadata } = await get(client, 'a')
  assert.deepEqual(bytes, image)
  assert.deepEqual({ ContentType, ContentEncoding, CacheControl, Metadata }, stored)
})

test('an empty object is an object', async (t) => {
  const { client } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'empty', Body: Buffer.alloc(0) }))
  assert.equal((await get(client, 'empty')).bytes.length, 0)
  assert.equal((await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'empty' }))).ContentLength, 0)
})

test('a range gives that part of the bytes, from either end, and 416 behind the last', async (t) => {
  const { client, endpoint } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: image }))
  const cases: [string, Buffer, string][] = [
    ['bytes=0-0', image.subarray(0, 1), 'bytes 0-0/250000'],
    ['bytes=100-199', image.subarray(100, 200), 'bytes 100-199/250000'],
    ['bytes=249999-', image.subarray(249_999), 'bytes 249999-249999/250000'],
    ['bytes=200000-999999999', image.subarray(200_000), 'bytes 200000-249999/250000'],
    ['bytes=-10', image.subarray(-10), 'bytes 249990-249999/250000'],
    ['bytes=-999999', image, 'bytes 0-249999/250000']
  ]
  for (const [Range, bytes, contentRange] of cases) {
    const answer = await get(client, 'a', { Range })
    assert.deepEqual([answer.bytes.equals(bytes), answer.ContentRange], [true, contentRange], Range)
    assert.equal(answer.$metadata.httpStatusCode, 206)
  }
  for (const range of ['bytes=250000-', 'bytes=-0']) {
    const answer = await send({ endpoint, method: 'GET', path: `/${bucket}/a`, headers: { range } })
    assert.deepEqual([answer.status, answer.code, answer.headers['content-range']], [416, 'InvalidRange', 'bytes */250000'], range)
  }
  for (const range of ['bytes=9-1', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-']) {
    assert.equal((await get(client, 'a', { Range: range })).$metadata.httpStatusCode, 200, `${range} is not one, so the whole is sent`)
  }
})

test('a client that has an object is told 304, and one that means another is told 412', async (t) => {
  const { client, endpoint } = await startTestStore(t)
  const { ETag = '' } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }))
  const { LastModified } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a' }))
  const then = LastModified?.toUTCString() ?? ''
  const cases: [Record<string, string>, number][] = [
    [{ 'if-none-match': ETag }, 304], [{ 'if-none-match': '*' }, 304], [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-match': ETag }, 200], [{ 'if-match': '"other"' }, 412], [{ 'if-match': `"other", ${ETag}` }, 200],
    [{ 'if-modified-since': then }, 304], [{ 'if-modified-since': new Date(0).toUTCString() }, 200],
    [{ 'if-unmodified-since': then }, 200], [{ 'if-unmodified-since': new Date(0).toUTCString() }, 412],
    [{ 'if-none-match': '"other"', 'if-modified-since': then }, 200]
  ]
  for (const [headers, status] of cases) {
    assert.equal((await send({ endpoint, method: 'GET', path: `/${bucket}/a`, headers })).status, status, JSON.stringify(headers))
  }
})

test('of many who create the same key at once with If-None-Match, exactly one wins and its bytes stay', async (t) => {
  const { client } = await startTestStore(t)
  const bodies = Array.from({ length: 16 }, (_, i) => `creator ${i}`)
  const outcomes = await Promise.allSettled(bodies.map(async (Body) =>
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body, IfNoneMatch: '*' }))))
  const winners = bodies.filter((_, i) => outcomes[i]?.status === 'fulfilled')
  assert.equal(winners.length, 1)
  assert.equal((await get(client, 'a')).bytes.toString(), winners[0])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal((outcome.reason as Error).name, 'PreconditionFailed')
  }
})

test('a put with If-Match replaces that version and no other', async (t) => {
  const { client } = await startTestStore(t)
  const put = async (Body: string, IfMatch?: string) =>
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body, ...IfMatch === undefined ? {} : { IfMatch } }))
  await assert.rejects(put('x', '"none"'), { name: 'NoSuchKey' })
  const { ETag } = await put('first')
  await put('second', ETag)
  await assert.rejects(put('third', ETag), { name: 'PreconditionFailed' })
  assert.equal((await get(client, 'a')).bytes.toString(), 'second')
})

test('what was read from is what is sent, though the object is replaced meanwhile', async (t) => {
  const { client } = await startTestStore(t)
  const large = randomBytes(8 * 1024 * 1024)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: large }))
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'a' }))
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'other' }))
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a' }))
  assert.deepEqual(Buffer.from(await answer.Body?.transformToByteArray() ?? []), large)
})

test('many objects are deleted in one request, and each is answered for', async (t) => {
  const { client } = await startTestStore(t)
  const keys = ['plain', 'with space', 'a&b<c>', ' padded ', 'tab\there', '&lt;', 'ü']
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))
  const Objects = [...keys, 'missing', 'x'.repeat(300)].map((Key) => ({ Key }))
  const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
  assert.deepEqual(Deleted?.map(({ Key }) => Key), [...keys, 'missing'])
  assert.deepEqual(Errors?.map(({ Code }) => Code), ['KeyTooLongError'])
  for (const key of keys) await assert.rejects(get(client, key), { name: 'NoSuchKey' }, key)
})

test('a delete that names a key XML cannot hold is refused, and deletes nothing else instead', async (t) => {
  const { client, endpoint } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'ab', Body: 'x' }))
  const bodies = [
    '<Delete><Object><Key>a&#1;b</Key></Object></Delete>', '<Delete><Object><Key>a\u0001b</Key></Object></Delete>',
    '<!DOCTYPE x [<!ENTITY e "b">]><Delete><Object><Key>a&e;</Key></Object></Delete>', '<Delete><Object>', '<Other/>', ''
  ]
  for (const body of bodies) {
    assert.equal((await send({ endpoint, method: 'POST', path: `/${bucket}?delete`, body })).code, 'MalformedXML', body)
  }
  assert.equal((await get(client, 'ab')).bytes.toString(), 'x')
})

test('a copy has the bytes and the metadata of its source, or metadata of its own', async (t) => {
  const { client } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'dir/a +b.jpg', Body: image, ContentType: 'image/jpeg', Metadata: { n: '1' } }))
  const CopySource = `${bucket}/${encodeURIComponent('dir/a +b.jpg')}`
  await client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource }))
  await client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'own', CopySource, MetadataDirective: 'REPLACE', ContentType: 'text/plain' }))
  const [copy, own] = [await get(client, 'copy'), await get(client, 'own')]
  assert.deepEqual([copy.bytes.equals(image), copy.ContentType, copy.Metadata], [true, 'image/jpeg', { n: '1' }])
  assert.deepEqual([own.bytes.equals(image), own.ContentType, own.Metadata], [true, 'text/plain', {}])
  await assert.rejects(client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'x', CopySource: `${bucket}/none` })), { name: 'NoSuchKey' })
  await assert.rejects(client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'x', CopySource: '../etc/passwd' })), { name: 'InvalidBucketName' })
  await assert.rejects(client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'own', CopySource: `${bucket}/own` })), { name: 'InvalidRequest' })
})

test('a bucket is made, found, listed and, once it is empty, removed', async (t) => {
  const { client } = await startTestStore(t)
  await client.send(new CreateBucketCommand({ Bucket: 'second' }))
  await assert.rejects(client.send(new CreateBucketCommand({ Bucket: 'second' })), { name: 'BucketAlreadyOwnedByYou' })
  await client.send(new HeadBucketCommand({ Bucket: 'second' }))
  await assert.rejects(client.send(new HeadBucketCommand({ Bucket: 'third' })), { name: 'NotFound' })
  assert.deepEqual((await client.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name), ['images', 'second'])
  await client.send(new PutObjectCommand({ Bucket: 'second', Key: 'a/b', Body: 'x' }))
  await assert.rejects(client.send(new DeleteBucketCommand({ Bucket: 'second' })), { name: 'BucketNotEmpty' })
  await client.send(new DeleteObjectCommand({ Bucket: 'second', Key: 'a/b' }))
  await client.send(new DeleteBucketCommand({ Bucket: 'second' }))
  await assert.rejects(client.send(new PutObjectCommand({ Bucket: 'second', Key: 'a', Body: 'x' })), { name: 'NoSuchBucket' })
})

test('what is not implemented is said to be, and never taken for a put of the object', async (t) => {
  const { client, endpoint } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }))
  const requests: [string, string, Record<string, string>?][] = [
    ['PUT', `/${bucket}/a?tagging`], ['GET', `/${bucket}/a?tagging`], ['PUT', `/${bucket}?versioning`], ['PUT', `/${bucket}?lifecycle`],
    ['GET', `/${bucket}/a?versionId=1`], ['PUT', `/${bucket}/a?acl`], ['PUT', `/${bucket}/a`, { 'x-amz-tagging': 'a=b' }],
    ['PUT', `/${bucket}/a`, { 'x-amz-server-side-encryption': 'AES256' }], ['PUT', `/${bucket}/a`, { 'if-none-match': '"etag"' }]
  ]
  for (const [method, path, headers = {}] of requests) {
    const { status, code } = await send({ endpoint, method, path, headers })
    assert.deepEqual([status, code], [501, 'NotImplemented'], `${method} ${path}`)
  }
  assert.equal((await get(client, 'a')).bytes.toString(), 'x')
})

test('an object over the limit is refused on its declared length', async (t) => {
  const { client, endpoint, dir } = await startTestStore(t, { objectBytesMax: 1000 })
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'fits', Body: Buffer.alloc(1000) }))
  const answer = await send({ endpoint, method: 'PUT', path: `/${bucket}/big`, body: Buffer.alloc(1001) })
  assert.deepEqual([answer.status, answer.code], [400, 'EntityTooLarge'])
  assert.deepEqual(await listDrafts(dir), [])
})

test('metadata over 2 kB is refused', async (t) => {
  const { client } = await startTestStore(t)
  const put = client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x', Metadata: { n: 'v'.repeat(2048) } }))
  await assert.rejects(put, { name: 'MetadataTooLarge' })
})

test('a port that is taken and a bucket name that cannot be are errors at the start', async (t) => {
  const { endpoint } = await startTestStore(t)
  const dir = await makeFolder(t)
  const listen = { host: '127.0.0.1', port: Number(new URL(endpoint).port) }
  await assert.rejects(startLocalStore({ listen, dir, credentials }), { code: 'EADDRINUSE' })
  await assert.rejects(startLocalStore({ listen: { ...listen, port: 0 }, dir, credentials, buckets: ['../x'] }), /not the name of a bucket/)
})

test('another region than the store has is refused with the one it has', async (t) => {
  const { endpoint } = await startTestStore(t, { region: 'eu-west-1' })
  await createTestClient(endpoint, { region: 'eu-west-1' }).send(new HeadBucketCommand({ Bucket: bucket }))
  const answer = await send({ endpoint, method: 'GET', path: `/${bucket}` })
  assert.deepEqual([answer.status, answer.code, answer.headers['x-amz-bucket-region']], [400, 'AuthorizationHeaderMalformed', 'eu-west-1'])
  assert.match(answer.body.toString(), /<Region>eu-west-1<\/Region>/)
})

test('metadata beyond ASCII comes back byte for byte', async (t) => {
  const { endpoint } = await startTestStore(t)
  const place = Buffer.from('Zürich 日本').toString('latin1')
  const request = { endpoint, path: `/${bucket}/a`, headers: { 'x-amz-meta-place': place } }
  assert.equal((await send({ ...request, method: 'PUT', body: 'x' })).status, 200)
  assert.equal((await send({ ...request, headers: {}, method: 'HEAD' })).headers['x-amz-meta-place'], place)
})
