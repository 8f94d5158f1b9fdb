import { join } from 'node:path'
import { owner } from './buckets.ts'
import { readCount, requireBucket, xmlAnswer, type Answer, type Call, type Store } from './call.ts'
import { refusal } from './errors.ts'
import type { BucketName } from './keys.ts'
import { listPage, type Found, type Page } from './listing.ts'
import { encodeStrictly } from './sigv4.ts'
import type { Node } from './xml.ts'

/** API Reference, ListObjectsV2: at most 1,000 keys a page. */
const keysMax = 1000
const describedAtOnceMax = 32

export async function listObjectsV2 (store: Store, call: Call, bucket: BucketName): Promise<Answer> {
  if (call.query.get('list-type') !== '2') throw refusal('InvalidArgument', 'list-type must be 2')
  const token = call.query.get('continuation-token')
  const startAfter = call.query.get('start-after') ?? ''
  const after = token === undefined ? keyMark(startAfter) : parseToken(token)
  const { page, common, encode } = await list(store, call, { bucket, after })
  const contents = await describe(store, bucket, page, encode)
  return xmlAnswer('ListBucketResult', {
    ...common,
    KeyCount: contents.length + prefixes(page).length,
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : formatToken(page.next),
    StartAfter: startAfter === '' ? undefined : encode(startAfter),
    Contents: call.query.get('fetch-owner') === 'true' ? contents.map((row) => ({ ...row, Owner: owner })) : contents
  })
}

/** The older one, where the mark is a key of the client's choice. */
export async function listObjects (store: Store, call: Call, bucket: BucketName): Promise<Answer> {
  const marker = call.query.get('marker') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const isPrefix = delimiter !== '' && marker.endsWith(delimiter)
  const after = isPrefix ? { kind: 'prefix', text: marker } as const : keyMark(marker)
  const { page, common, encode } = await list(store, call, { bucket, after })
  const contents = await describe(store, bucket, page, encode)
  return xmlAnswer('ListBucketResult', {
    ...common,
    Marker: encode(marker),
    NextMarker: page.next === undefined ? undefined : encode(page.next.text),
    Contents: contents.map((row) => ({ ...row, Owner: owner }))
  })
}

type Encode = (text: string) => string

async function list (
  store: Store, call: Call, { bucket, after }: { bucket: BucketName, after: Found | undefined }
): Promise<{ page: Page, common: { [name: string]: Node }, encode: Encode }> {
  await requireBucket(store, bucket)
  const [prefix, delimiter] = [call.query.get('prefix') ?? '', call.query.get('delimiter') ?? '']
  const max = readCount(call, 'max-keys', keysMax)
  const encode = readEncoding(call)
  const page = await listPage(join(store.files.root, bucket), { prefix, delimiter, after, max })
  const common = {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    MaxKeys: max,
    EncodingType: call.query.get('encoding-type'),
    IsTruncated: page.next !== undefined,
    CommonPrefixes: prefixes(page).map(({ text }) => ({ Prefix: encode(text) }))
  }
  return { page, common, encode }
}

/** With `encoding-type=url`, names are percent-encoded: XML cannot hold every character that a key can. */
export function readEncoding (call: Call): Encode {
  const encoding = call.query.get('encoding-type')
  if (encoding === undefined) return (text) => text
  if (encoding !== 'url') throw refusal('InvalidArgument', 'encoding-type must be url')
  return (text) => encodeStrictly(text).replaceAll('%2F', '/')
}

/** What is deleted while it is being listed is left out. */
async function describe (store: Store, bucket: BucketName, page: Page, encode: Encode) {
  const keys = page.found.filter(({ kind }) => kind === 'key')
  const rows = []
  for (let i = 0; i < keys.length; i += describedAtOnceMax) {
    rows.push(...await Promise.all(keys.slice(i, i + describedAtOnceMax).map(async ({ text }) => {
      const object = await store.files.describe({ bucket, key: text })
      if (object === undefined) return []
      return [{
        Key: encode(text),
        LastModified: new Date(object.modifiedAt).toISOString(),
        ETag: `"${object.description.etag}"`,
        Size: object.bytes,
        StorageClass: 'STANDARD'
      }]
    })))
  }
  return rows.flat()
}

function prefixes (page: Page): Found[] {
  return page.found.filter(({ kind }) => kind === 'prefix')
}

function keyMark (text: string): Found | undefined {
  return text === '' ? undefined : { kind: 'key', text }
}

function formatToken ({ kind, text }: Found): string {
  return Buffer.from(`${kind}:${text}`).toString('base64url')
}

function parseToken (token: string): Found {
  const [, kind, text] = /^(key|prefix):(.*)$/s.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (text === undefined) throw refusal('InvalidArgument', 'the continuation token provided is incorrect')
  return { kind: kind === 'key' ? 'key' : 'prefix', text }
}
