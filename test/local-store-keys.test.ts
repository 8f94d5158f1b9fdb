import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { test } from 'node:test'
import { ListObjectsV2Command, PutObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { compareKeys, formatKeyPath, formatName, parseBucket, parseName } from '../bridge/local-store/keys.ts'
import { bucket, get, makeFolder, startTestStore } from './helpers/local-store.ts'
import { send } from './helpers/s3-requests.ts'

/** Keys that a file system could misread, as likely as harmless ones. */
const segment = fc.oneof(
  fc.constantFrom('', '.', '..', '...', '%', '%2E', '%2e%2e', '%00', '\0', '\\', '..\\', '~', 'a%.json', '.meta', '.drafts', 'CON', '\n', 'é', '𐀀', '\uE000'),
  fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 12 })
).filter((text) => !text.includes('/'))
const keys = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/')).filter((key) => key !== '')

test('no key leads out of its folder, and no two keys share a file or a sidecar', () => {
  fc.assert(fc.property(keys, keys, (a, b) => {
    const [pathA, pathB] = [formatKeyPath(a), formatKeyPath(b)]
    if (pathA === undefined) return
    const root = '/objects/images'
    assert.ok(resolve(root, pathA).startsWith(root + sep))
    assert.equal(resolve(root, pathA), join(root, pathA), 'nothing in it is resolved away')
    if (a !== b) assert.notEqual(pathA, pathB)
    assert.ok(!(`${pathB}/`).startsWith(`${pathA}%.json/`), "no key's folder is another's sidecar")
    assert.deepEqual(pathA.split('/').map(parseName), a.split('/'))
  }), { numRuns: 2000 })
})

test('a name that no key has stands for none', () => {
  for (const name of ['a%', '%2e', '%41', 'a%.json', '%zz', '%%', 'a\\b', '%C3%28', '.', '..']) assert.equal(parseName(name), undefined, name)
  assert.equal(formatName(''), '%')
})

test('bucket names that are paths are no buckets', () => {
  for (const name of ['..', '.', '.meta', '.drafts', 'a', 'A-bucket', 'a/b', 'a..b', '192.168.0.1', '-ab', 'ab-', 'a_b', 'x'.repeat(64), 'a\0b']) {
    assert.equal(parseBucket(name), undefined, name)
  }
  for (const name of ['images', 'a.b-c', '123', 'x'.repeat(63)]) assert.equal(parseBucket(name), name)
})

test('keys are in the order of their bytes', () => {
  fc.assert(fc.property(keys, keys, (a, b) => {
    assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }))
})

test('every key is stored, listed and deleted under its own name, or refused, and nothing lies outside the folder', async (t) => {
  const parent = await makeFolder(t)
  const { endpoint, client, causes } = await startTestStore(t, { dir: join(parent, 'objects') })
  await fc.assert(fc.asyncProperty(keys, async (key) => {
    const path = `/${bucket}/${encodeURIComponent(key).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`
    const put = await send({ endpoint, method: 'PUT', path: path.replaceAll('%2F', '/'), body: key })
    assert.ok(put.status === 200 || (put.status === 400 && put.code === 'KeyTooLongError'), `${put.status} ${put.code}`)
    const listed = await client.send(new ListObjectsV2Command({ Bucket: bucket, EncodingType: 'url' }))
    if (put.status !== 200) return assert.equal(listed.Contents, undefined)
    assert.deepEqual(listed.Contents?.map(({ Key }) => decodeURIComponent(Key ?? '')), [key])
    assert.equal((await send({ endpoint, method: 'GET', path: path.replaceAll('%2F', '/') })).body.toString(), key)
    assert.equal((await send({ endpoint, method: 'DELETE', path: path.replaceAll('%2F', '/') })).status, 204)
  }), { numRuns: 60 })
  assert.deepEqual(await readdir(parent), ['objects'])
  assert.deepEqual((await readdir(join(parent, 'objects'))).sort(), ['.drafts', '.meta', '.uploads', bucket])
  assert.deepEqual(await readdir(join(parent, 'objects', bucket)), [])
  assert.deepEqual(causes, [])
})

test('requests that spell a way out of the folder are refused or stay inside', async (t) => {
  const parent = await makeFolder(t)
  const { endpoint } = await startTestStore(t, { dir: join(parent, 'objects') })
  const paths = [
    '/../x', '/..%2fx', '/%2e%2e/x', '/.meta/images/a%25.json', '/.drafts/1', '/images/../../x', '/images/%2e%2e/%2e%2e/x',
    '/images/..%2f..%2fx', '/images/%00', '/images/a%00/../../x', '/images//../x', '//images/x', '/images/%ff', '/images/%'
  ]
  for (const path of paths) {
    const { status } = await send({ endpoint, method: 'PUT', path, body: 'x' })
    assert.ok(status === 200 ? path.startsWith('/images/') : status >= 400 && status < 500, `${path} ${status}`)
  }
  assert.deepEqual(await readdir(parent), ['objects'])
  assert.deepEqual((await readdir(join(parent, 'objects'))).sort(), ['.drafts', '.meta', '.uploads', bucket])
})

test('of a and a/b, the later one is refused in words and the earlier one stays', async (t) => {
  const { client } = await startTestStore(t)
  const put = async (Key: string) => await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }))
  await put('a')
  await assert.rejects(put('a/b'), { name: 'InvalidRequest', message: /'a\/b' cannot be an object here/ })
  await assert.rejects(put('a/b/c/d'), { name: 'InvalidRequest' })
  await put('x/y/z')
  await assert.rejects(put('x/y'), { name: 'InvalidRequest' })
  await assert.rejects(client.send(new PutObjectCommand({ Bucket: bucket, Key: 'x', Body: 'x', IfNoneMatch: '*' })), { name: 'InvalidRequest' })
  assert.equal((await get(client, 'a')).bytes.toString(), 'a')
  assert.equal((await get(client, 'x/y/z')).bytes.toString(), 'x/y/z')
  for (const Key of ['a/b', 'x/y', 'x']) await assert.rejects(get(client, Key), { name: 'NoSuchKey' })
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'x/y/z' }))
  await put('x/y')
})
