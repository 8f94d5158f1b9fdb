import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ListObjectsCommand, ListObjectsV2Command, PutObjectCommand, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { formatKeyPath } from '../bridge/local-store/keys.ts'
import { listPage, type Found, type ListRequest } from '../bridge/local-store/listing.ts'
import { bucket, makeFolder, startTestStore } from './helpers/local-store.ts'
import { send } from './helpers/s3-requests.ts'

/** What S3 says a page is, over a plain list of all keys. */
function expectedPage (keys: readonly string[], { prefix, delimiter, after, max }: ListRequest): Found[] {
  const bytes = (text: string) => Buffer.from(text)
  const rows = keys.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)))
    .filter((key) => key.startsWith(prefix))
    .filter((key) => after === undefined || (Buffer.compare(bytes(key), bytes(after.text)) > 0 &&
      !(after.kind === 'prefix' && key.startsWith(after.text))))
    .map((key): Found => {
      const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      return at < 0 ? { kind: 'key', text: key } : { kind: 'prefix', text: key.slice(0, at + delimiter.length) }
    })
  return rows.filter((row, i) => row.kind === 'key' || rows[i - 1]?.text !== row.text).slice(0, max)
}

const segment = fc.oneof(fc.constantFrom('', '.', '..', 'a', 'b', 'a-', 'a.b', 'ab', '-', '%', '\u0001', '𐀀', '\uE000'), fc.stringMatching(/^[abc]{1,2}$/))
const keys = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/')).filter((key) => key !== '')
const text = fc.oneof(fc.constant(''), keys, keys.map((key) => key.slice(0, 2)))

async function makeKeys (dir: string, wanted: readonly string[]): Promise<string[]> {
  const made: string[] = []
  for (const key of wanted) {
    const path = join(dir, formatKeyPath(key) ?? '')
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, '')
      made.push(key)
    } catch {} // a file where a folder would be, which the store refuses too
  }
  return [...new Set(made)]
}

test('a page has the keys and common prefixes that S3 would list, in its order, for any request', async (t) => {
  let folder = 0
  const parent = await makeFolder(t)
  const request = fc.record({
    prefix: text,
    delimiter: fc.constantFrom('', '/', '/', 'a', '//', 'b/'),
    after: fc.option(fc.record({ kind: fc.constantFrom('key', 'prefix'), text }), { nil: undefined }),
    max: fc.integer({ min: 1, max: 6 })
  })
  const lists = [fc.array(keys, { maxLength: 14 }), fc.array(request, { minLength: 4, maxLength: 8 })] as const
  await fc.assert(fc.asyncProperty(...lists, async (wanted, requests) => {
    const dir = join(parent, String(folder++))
    await mkdir(dir)
    const made = await makeKeys(dir, wanted)
    for (const each of requests) assert.deepEqual((await listPage(dir, each)).found, expectedPage(made, each))
  }), { numRuns: 150 })
})

test('following the marks from page to page gives everything once', async (t) => {
  let folder = 0
  const parent = await makeFolder(t)
  await fc.assert(fc.asyncProperty(fc.array(keys, { maxLength: 20 }), text, fc.constantFrom('', '/', 'a'), async (wanted, prefix, delimiter) => {
    const dir = join(parent, String(folder++))
    await mkdir(dir)
    const made = await makeKeys(dir, wanted)
    const all: Found[] = []
    let after: Found | undefined
    do {
      const page = await listPage(dir, { prefix, delimiter, after, max: 2 })
      all.push(...page.found)
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(all, expectedPage(made, { prefix, delimiter, after: undefined, max: Infinity }))
  }), { numRuns: 60 })
})

test('2,500 keys come in three pages, each key once and in order', async (t) => {
  const { client, dir } = await startTestStore(t)
  const names = Array.from({ length: 2500 }, (_, i) => `images/cam-${i % 7}/${String(i).padStart(5, '0')}.jpg`)
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(async (worker) =>
    await makeKeys(join(dir, bucket), names.filter((_, i) => i % 8 === worker))))
  const sizes: number[] = []
  const seen: string[] = []
  let ContinuationToken: string | undefined
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'images/', ContinuationToken }))
    seen.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''))
    sizes.push(page.KeyCount ?? 0)
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
  assert.deepEqual(sizes, [1000, 1000, 500])
  assert.deepEqual(seen, names.toSorted())
})

test('a listing shows sizes and ETags, folders as common prefixes, and starts where it is told to', async (t) => {
  const { client } = await startTestStore(t)
  const put = await Promise.all(['a', 'p/1', 'p/2', 'p/q/3', 'z'].map(async (Key) =>
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }))))
  const list = async (input: Partial<ListObjectsV2CommandInput>) => {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ...input }))
    const { Contents = [], CommonPrefixes = [] } = page
    return [...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix)]
  }
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'p/q' }))
  assert.deepEqual(Contents?.map(({ Key, Size, ETag }) => [Key, Size, ETag]), [['p/q/3', 5, put[3]?.ETag]])
  assert.deepEqual(await list({ Delimiter: '/' }), ['a', 'z', 'p/'])
  assert.deepEqual(await list({ Delimiter: '/', Prefix: 'p/' }), ['p/1', 'p/2', 'p/q/'])
  assert.deepEqual(await list({ StartAfter: 'p/1' }), ['p/2', 'p/q/3', 'z'])
  assert.deepEqual(await list({ MaxKeys: 0 }), [])
  assert.deepEqual(await list({ Prefix: 'nothing/here' }), [])
  await assert.rejects(list({ ContinuationToken: 'nonsense' }), { name: 'InvalidArgument' })
  await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: 'missing' })), { name: 'NoSuchBucket' })
})

test('the first version of the listing pages by a key, or by a common prefix', async (t) => {
  const { client } = await startTestStore(t)
  for (const Key of ['a', 'p/1', 'p/2', 'q/1', 'z']) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }))
  const seen: (string | undefined)[] = []
  let Marker: string | undefined
  do {
    const page = await client.send(new ListObjectsCommand({ Bucket: bucket, Delimiter: '/', MaxKeys: 1, Marker }))
    seen.push(...(page.Contents ?? []).map(({ Key }) => Key))
    seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix))
    Marker = page.NextMarker
  } while (Marker !== undefined)
  assert.deepEqual(seen, ['a', 'p/', 'q/', 'z'])
})

test('with encoding-type=url, every name in the answer is percent-encoded', async (t) => {
  const { endpoint, client } = await startTestStore(t)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'dir/a b+c\u0001&<é>.jpg', Body: 'x' }))
  const { body } = await send({ endpoint, method: 'GET', path: `/${bucket}?encoding-type=url&list-type=2&prefix=dir%2Fa%20b` })
  assert.match(body.toString(), /<Key>dir\/a%20b%2Bc%01%26%3C%C3%A9%3E.jpg<\/Key>/)
  assert.match(body.toString(), /<Prefix>dir\/a%20b<\/Prefix>/)
})

test('a folder that holds no object is no common prefix', async (t) => {
  const { client, dir } = await startTestStore(t)
  await mkdir(join(dir, bucket, 'empty', 'deeper'), { recursive: true })
  const { CommonPrefixes } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Delimiter: '/' }))
  assert.equal(CommonPrefixes, undefined)
})
