import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, PutObjectCommand, UploadPartCommand,
  UploadPartCopyCommand, type CompletedPart, type CompleteMultipartUploadCommandInput, type S3Client
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { bucket, get, listDrafts, startTestStore } from './helpers/local-store.ts'

const partBytes = 5 * 1024 * 1024
const parts = [randomBytes(partBytes), randomBytes(partBytes), randomBytes(1000)]
const whole = Buffer.concat(parts)
const name = { Bucket: bucket, Key: 'dir/large.jpg' }

async function create (client: S3Client, more: object = {}): Promise<string> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...name, ...more }))
  return UploadId ?? ''
}

async function upload (client: S3Client, UploadId: string, bodies: readonly Buffer[]): Promise<CompletedPart[]> {
  return await Promise.all(bodies.map(async (Body, i) => {
    const { ETag = '' } = await client.send(new UploadPartCommand({ ...name, UploadId, PartNumber: i + 1, Body }))
    return { PartNumber: i + 1, ETag }
  }))
}

async function complete (
  client: S3Client, UploadId: string, Parts: CompletedPart[], more: Partial<CompleteMultipartUploadCommandInput> = {}
) {
  const input = { ...name, UploadId, MultipartUpload: { Parts }, ...more }
  return await client.send(new CompleteMultipartUploadCommand(input))
}

test('completed parts are one plain file with the metadata of the start, and no part stays behind', async (t) => {
  const { client, dir } = await startTestStore(t)
  const UploadId = await create(client, { ContentType: 'image/jpeg', Metadata: { n: '1' } })
  const { ETag } = await complete(client, UploadId, await upload(client, UploadId, parts))
  const md5s = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()))
  assert.equal(ETag, `"${createHash('md5').update(md5s).digest('hex')}-3"`)
  const object = await get(client, name.Key)
  assert.deepEqual(object.bytes, whole)
  assert.deepEqual([object.ETag, object.ContentType, object.Metadata], [ETag, 'image/jpeg', { n: '1' }])
  assert.deepEqual(await readFile(join(dir, bucket, name.Key)), whole)
  assert.deepEqual([await readdir(join(dir, '.uploads', bucket)), await listDrafts(dir)], [[], []])
})

test('an upload of unknown length goes in parts through the client library', async (t) => {
  const { client } = await startTestStore(t)
  await new Upload({ client, params: { ...name, Body: Readable.from([whole]) } }).done()
  assert.deepEqual((await get(client, name.Key)).bytes, whole)
})

test('nothing is seen of an object before its upload is completed', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  await upload(client, UploadId, parts.slice(2))
  await assert.rejects(get(client, name.Key), { name: 'NoSuchKey' })
  assert.equal((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount, 0)
})

test('an aborted upload is gone with its parts', async (t) => {
  const { client, dir } = await startTestStore(t)
  const UploadId = await create(client)
  const sent = await upload(client, UploadId, parts.slice(2))
  await client.send(new AbortMultipartUploadCommand({ ...name, UploadId }))
  await assert.rejects(complete(client, UploadId, sent), { name: 'NoSuchUpload' })
  await assert.rejects(upload(client, UploadId, parts.slice(2)), { name: 'NoSuchUpload' })
  await assert.rejects(client.send(new AbortMultipartUploadCommand({ ...name, UploadId })), { name: 'NoSuchUpload' })
  assert.deepEqual([await readdir(join(dir, '.uploads', bucket)), await listDrafts(dir)], [[], []])
})

test('an upload id is good for its own key only, and is no path', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  const list = async (more: object) => await client.send(new ListPartsCommand({ ...name, UploadId, ...more }))
  await list({})
  await assert.rejects(list({ Key: 'other' }), { name: 'NoSuchUpload' })
  for (const id of ['../../images', '..', UploadId.slice(1), 'x'.repeat(32)]) await assert.rejects(list({ UploadId: id }), { name: 'NoSuchUpload' })
})

test('uploads and parts are listed page by page', async (t) => {
  const { client } = await startTestStore(t)
  const ids = [await create(client), await create(client)].sort()
  const first = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, MaxUploads: 1 }))
  const second = await client.send(new ListMultipartUploadsCommand(
    { Bucket: bucket, KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker }))
  assert.deepEqual([first, second].map((page) => page.Uploads?.map(({ UploadId }) => UploadId)), [[ids[0]], [ids[1]]])
  assert.deepEqual([first.IsTruncated, second.IsTruncated], [true, false])
  const UploadId = ids[0] ?? ''
  const sent = await upload(client, UploadId, [parts[2], parts[2], parts[2]].map((part) => part ?? whole))
  const page = await client.send(new ListPartsCommand({ ...name, UploadId, PartNumberMarker: '1', MaxParts: 1 }))
  assert.deepEqual(page.Parts?.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })), [sent[1]])
  assert.equal(page.IsTruncated, true)
})

test('a part that is sent again replaces the first, and the parts that are named are the object', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  const [old] = await upload(client, UploadId, [Buffer.from('first try')])
  const [again] = await upload(client, UploadId, [Buffer.from('second try'), Buffer.from('not named')])
  await assert.rejects(complete(client, UploadId, [old ?? {}]), { name: 'InvalidPart' })
  await complete(client, UploadId, [again ?? {}])
  assert.equal((await get(client, name.Key)).bytes.toString(), 'second try')
})

test('parts that are missing, out of order or too small are refused, and the upload stays', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  const [a, b] = await upload(client, UploadId, [Buffer.from('small'), Buffer.from('last')])
  await assert.rejects(complete(client, UploadId, [b ?? {}, a ?? {}]), { name: 'InvalidPartOrder' })
  await assert.rejects(complete(client, UploadId, [a ?? {}, b ?? {}]), { name: 'EntityTooSmall' })
  await assert.rejects(complete(client, UploadId, [{ PartNumber: 7, ETag: '"x"' }]), { name: 'InvalidPart' })
  await assert.rejects(complete(client, UploadId, []), { name: 'MalformedXML' })
  await complete(client, UploadId, [b ?? {}])
})

test('completing twice at once makes the object once', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  const sent = await upload(client, UploadId, parts)
  const outcomes = await Promise.allSettled([complete(client, UploadId, sent), complete(client, UploadId, sent)])
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.deepEqual((await get(client, name.Key)).bytes, whole)
})

test('a checksum of the whole is verified when the parts are put together', async (t) => {
  const { client } = await startTestStore(t)
  const UploadId = await create(client)
  const sent = await upload(client, UploadId, parts)
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(whole))
  const ofWhole = (ChecksumCRC32: string) => ({ ChecksumType: 'FULL_OBJECT', ChecksumCRC32 }) as const
  await assert.rejects(complete(client, UploadId, sent, ofWhole('AAAAAA==')), { name: 'BadDigest' })
  await assert.rejects(complete(client, UploadId, sent, { ChecksumCRC32: 'AAAAAA==' }), { name: 'NotImplemented' })
  await complete(client, UploadId, sent, ofWhole(value.toString('base64')))
  const head = await client.send(new HeadObjectCommand({ ...name, ChecksumMode: 'ENABLED' }))
  assert.equal(head.ChecksumCRC32, value.toString('base64'))
})

test('completing with If-None-Match keeps what is there', async (t) => {
  const { client } = await startTestStore(t)
  await client.send(new PutObjectCommand({ ...name, Body: 'there' }))
  const UploadId = await create(client)
  const sent = await upload(client, UploadId, parts.slice(2))
  await assert.rejects(complete(client, UploadId, sent, { IfNoneMatch: '*' }), { name: 'PreconditionFailed' })
  assert.equal((await get(client, name.Key)).bytes.toString(), 'there')
})

test('a part can be a range of another object, if that is the one that was meant', async (t) => {
  const { client } = await startTestStore(t)
  const { ETag } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'source', Body: whole }))
  const UploadId = await create(client)
  const copy = async (CopySourceIfMatch?: string) => await client.send(new UploadPartCopyCommand({
    ...name, UploadId, PartNumber: 1, CopySource: `${bucket}/source`, CopySourceRange: 'bytes=10-19', CopySourceIfMatch
  }))
  await assert.rejects(copy('"other"'), { name: 'PreconditionFailed' })
  const { CopyPartResult } = await copy(ETag)
  await complete(client, UploadId, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }])
  assert.deepEqual((await get(client, name.Key)).bytes, whole.subarray(10, 20))
})

test('an object put together from parts is held to the same limit as any', async (t) => {
  const { client } = await startTestStore(t, { objectBytesMax: whole.length - 1 })
  const UploadId = await create(client)
  const sent = await upload(client, UploadId, parts)
  await assert.rejects(complete(client, UploadId, sent), { name: 'EntityTooLarge' })
})
