import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFile, cp, link, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { readOrCreateCredentials } from '../bridge/local-store/server.ts'
import { bucket, get, makeFolder, startTestStore } from './helpers/local-store.ts'

const image = randomBytes(250_000)

test('an object is a plain file that a person can open, under its own name', async (t) => {
  const { client, dir } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'images/cam-1/2026/01/31/a.jpg', Body: image }))
  assert.deepEqual(await readFile(join(dir, bucket, 'images/cam-1/2026/01/31/a.jpg')), image)
})

test('a deleted object is gone, with its folders and what was known of it; deleting it again is fine', async (t) => {
  const { client, dir } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b/c.jpg', Body: 'x' }))
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a/b/c.jpg' }))
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a/b/c.jpg' }))
  await assert.rejects(get(client, 'a/b/c.jpg'), { name: 'NoSuchKey' })
  assert.deepEqual(await readdir(join(dir, bucket)), [])
  assert.deepEqual(await readdir(join(dir, '.meta')), [])
})

test('puts and deletes side by side in one folder never fail, and what was put last is there', async (t) => {
  const { client, causes } = await startTestStore(t)
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    for (let round = 0; round < 6; round++) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `a/b/${i}`, Body: String(round) }))
      if (round < 5) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `a/b/${i}` }))
    }
  }))
  for (let i = 0; i < 8; i++) assert.equal((await get(client, `a/b/${i}`)).bytes.toString(), '5')
  assert.deepEqual(causes, [])
})

test('objects outlive the server, and a folder restored from a copy keeps ETags and metadata', async (t) => {
  const first = await startTestStore(t)
  const { ETag } = await first.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'd/a', Body: image, ContentType: 'image/png' }))
  await first.close()
  const again = await startTestStore(t, { dir: first.dir })
  assert.equal((await get(again.client, 'd/a')).ContentType, 'image/png')
  const dir = join(await makeFolder(t), 'restored')
  await cp(first.dir, dir, { recursive: true }) // new inodes, new times
  const restored = await startTestStore(t, { dir })
  const object = await get(restored.client, 'd/a')
  assert.deepEqual([object.bytes.equals(image), object.ETag, object.ContentType], [true, ETag, 'image/png'])
})

test('a picture that a person drops into the folder is an object, and one that is edited gets a new ETag', async (t) => {
  const { client, dir } = await startTestStore(t)
  await mkdir(join(dir, bucket, 'by-hand'))
  await writeFile(join(dir, bucket, 'by-hand', 'a.jpg'), image)
  const found = await get(client, 'by-hand/a.jpg')
  assert.deepEqual(found.bytes, image)
  await writeFile(join(dir, bucket, 'by-hand', 'a.jpg'), 'edited')
  const edited = await get(client, 'by-hand/a.jpg')
  assert.equal(edited.bytes.toString(), 'edited')
  assert.notEqual(edited.ETag, found.ETag)
})

test('whichever bytes a crash between the renames leaves, they are described by their own record', async (t) => {
  const { client, dir } = await startTestStore(t)
  const path = join(dir, bucket, 'a')
  const first = await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'first', ContentType: 'text/first' }))
  await link(path, join(dir, 'first')) // the same file under a second name
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'later', ContentType: 'text/later' }))
  await rename(join(dir, 'first'), path) // as if the second put had got no further than its sidecar
  const object = await get(client, 'a')
  assert.deepEqual([object.bytes.toString(), object.ETag, object.ContentType], ['first', first.ETag, 'text/first'])
})

test('a damaged sidecar costs the metadata, never the object', async (t) => {
  const { client, dir } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: image, ContentType: 'image/png' }))
  await writeFile(join(dir, '.meta', bucket, 'a%.json'), '{"descriptions": [{"st')
  const object = await get(client, 'a')
  assert.deepEqual([object.bytes.equals(image), object.ContentType], [true, 'binary/octet-stream'])
})

test('credentials are made once, are readable by their owner only, and are the same at the next start', async (t) => {
  const file = join(await makeFolder(t), 'new', 'keys.json')
  const [a, b] = await Promise.all([readOrCreateCredentials(file), readOrCreateCredentials(file)])
  assert.deepEqual(a, b)
  assert.deepEqual(await readOrCreateCredentials(file), a)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(file, '..')), ['keys.json'])
  assert.ok(a.secretAccessKey.length >= 40)
  await copyFile(file, `${file}.2`)
  await writeFile(`${file}.2`, '{"accessKeyId": "x"}')
  await assert.rejects(readOrCreateCredentials(`${file}.2`), /does not hold an accessKeyId and a secretAccessKey/)
})
