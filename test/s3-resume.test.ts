import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import type { StoreObject } from '../bridge/objects/object-store.ts'
import { objectOf } from './contract/object-store.ts'
import { eventually } from './helpers/eventually.ts'
import { freeLine } from './helpers/line.ts'
import { BUCKET, CREDENTIALS, startScripted, startTestStore, storeAt } from './helpers/s3.ts'

const PART_BYTES = 5 * 2 ** 20
const BYTES = 2 * PART_BYTES + 1_000_000
const WAITED = { receivedAt: 1_700_000_000_000 }
const signal = new AbortController().signal

/** What a process that is cut off after so many bytes leaves at the store. */
async function leaveBehind (
  t: TestContext, endpoint: string, object: StoreObject, { integrity = 'sha256', bytes = 1.5 * PART_BYTES }: {
    integrity?: 'sha256' | 'md5' | 'crc32', bytes?: number
  } = {}
): Promise<void> {
  const cut = new AbortController()
  let given = 0
  const line = {
    ...freeLine(),
    paceBytesMax: () => 100_000,
    pace: async (piece: number) => { if ((given += piece) > bytes) cut.abort() }
  }
  const { store } = storeAt(t, endpoint, { integrity, partBytes: PART_BYTES }, line)
  assert.equal((await store.put(object, cut.signal)).kind, 'unavailable')
}

function clientOf (t: TestContext, endpoint: string): S3Client {
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: CREDENTIALS })
  t.after(() => { client.destroy() })
  return client
}

for (const integrity of ['sha256', 'md5', 'crc32'] as const) {
  test(`after a restart an object goes on at the part that is missing, verified by ${integrity}`, async (t) => {
    const { endpoint } = await startTestStore(t)
    const object = { ...objectOf(randomBytes(BYTES)), ...WAITED }
    await leaveBehind(t, endpoint, object, { integrity })
    const { store, agents } = storeAt(t, endpoint, { integrity, partBytes: PART_BYTES })
    assert.equal((await store.put(object, signal)).kind, 'stored')
    const left = BYTES - PART_BYTES
    assert.ok(agents.sentBytes() >= left && agents.sentBytes() < left * 1.001, `${agents.sentBytes()} of ${left} bytes`)
    assert.ok((await store.get(object.key, signal))?.equals(object.body))
  })
}

test('parts of other bytes, or of another size, are not gone on with and are removed', async (t) => {
  const { endpoint } = await startTestStore(t)
  const client = clientOf(t, endpoint)
  const uploads = async (): Promise<number> =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads?.length ?? 0
  const first = objectOf(randomBytes(BYTES))
  const object = { ...objectOf(randomBytes(BYTES), first.key), ...WAITED }
  await leaveBehind(t, endpoint, first)
  await leaveBehind(t, endpoint, first)
  assert.equal(await uploads(), 2)
  const { store, agents } = storeAt(t, endpoint, { partBytes: PART_BYTES })
  assert.equal((await store.put(object, signal)).kind, 'stored')
  assert.ok(agents.sentBytes() > BYTES)
  await eventually(async () => await uploads() === 0)

  const other = { ...objectOf(randomBytes(BYTES)), ...WAITED }
  await leaveBehind(t, endpoint, other)
  const { store: larger } = storeAt(t, endpoint, { partBytes: PART_BYTES + 1000 })
  assert.equal((await larger.put(other, signal)).kind, 'stored')
  assert.ok((await larger.get(other.key, signal))?.equals(other.body))
  await eventually(async () => await uploads() === 0)
})

test('an upload that is gone although it was listed is begun anew', async (t) => {
  const { endpoint } = await startTestStore(t)
  const object = { ...objectOf(randomBytes(BYTES)), ...WAITED }
  await leaveBehind(t, endpoint, object)
  const client = clientOf(t, endpoint)
  const { Uploads: [upload] = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))
  const named = { Bucket: BUCKET, Key: upload?.Key, UploadId: upload?.UploadId }
  let pieces = 0
  const line = {
    ...freeLine(),
    paceBytesMax: () => 1_000_000,
    pace: async () => { if (++pieces === 3) await client.send(new AbortMultipartUploadCommand(named)) }
  }
  const { store } = storeAt(t, endpoint, { partBytes: PART_BYTES }, line)
  assert.equal((await store.put(object, signal)).kind, 'stored')
  assert.ok((await store.get(object.key, signal))?.equals(object.body))
})

/** A store of small parts that has an upload with the first of them, and says what it is told of listings. */
async function startListing (
  t: TestContext, say: (query: URLSearchParams, response: ServerResponse) => boolean
): Promise<{ put: (object: StoreObject) => Promise<string>, calls: string[] }> {
  const calls: string[] = []
  const endpoint = await startScripted(t, ({ method = '', url = '' }, response) => {
    const query = new URL(url, 'http://store').searchParams
    calls.push(method === 'PUT' ? `part ${query.get('partNumber')}` : `${method} ${[...query.keys()][0]}`)
    if (method === 'GET' && say(query, response)) return
    if (method === 'POST' && query.has('uploads')) response.end(document('InitiateMultipartUploadResult', '<UploadId>new</UploadId>'))
    else if (method === 'POST') response.end(document('CompleteMultipartUploadResult', '<ETag>"whole"</ETag>'))
    else response.writeHead(200, { etag: '"part"' }).end()
  })
  const { store } = storeAt(t, endpoint, { partBytes: 1000 })
  return { calls, put: async (object) => (await store.put(object, signal)).kind }
}

const document = (name: string, content: string): string => `<?xml version="1.0"?><${name}>${content}</${name}>`
const ANEW = ['POST uploads', 'part 1', 'part 2', 'POST uploadId']

for (const [status, code] of [[403, 'AccessDenied'], [501, 'NotImplemented'], [405, 'MethodNotAllowed']] as const) {
  test(`a store that answers a listing of uploads with ${status} is sent the whole object`, async (t) => {
    const { put, calls } = await startListing(t, (_query, response) => {
      response.writeHead(status, { 'content-type': 'application/xml' }).end(document('Error', `<Code>${code}</Code>`))
      return true
    })
    assert.equal(await put({ ...objectOf(randomBytes(1500)), ...WAITED }), 'stored')
    assert.deepEqual(calls.filter((call) => !call.startsWith('GET')), ANEW)
    assert.equal(calls.length, ANEW.length + 1)
  })
}

test('a store that does not answer a listing is unavailable, and nothing is begun before it has', async (t) => {
  const { put, calls } = await startListing(t, (_query, response) => { response.writeHead(503).end(); return true })
  assert.equal(await put({ ...objectOf(randomBytes(1500)), ...WAITED }), 'unavailable')
  assert.equal(calls.length, 1)
})

test('a new image costs no listing', async (t) => {
  const { put, calls } = await startListing(t, () => assert.fail('it was listed'))
  assert.equal(await put({ ...objectOf(randomBytes(1500)), receivedAt: Date.now() + 1000 }), 'stored')
  assert.deepEqual(calls, ANEW)
})

test('where the store says by which sum it has a part, that sum decides, and not its ETag', async (t) => {
  const object = { ...objectOf(randomBytes(1500)), ...WAITED }
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64')
  const cases = [[object.body.subarray(0, 1000), ['part 2', 'POST uploadId']], [randomBytes(1000), ANEW]] as const
  for (const [claimed, expected] of cases) {
    const { put, calls } = await startListing(t, (query, response) => {
      response.end(query.has('uploads')
        ? document('ListMultipartUploadsResult', `<Upload><Key>${object.key}</Key><UploadId>old</UploadId></Upload>`)
        : document('ListPartsResult', '<Part><PartNumber>1</PartNumber><ETag>"by a key of its own"</ETag><Size>1000</Size>' +
          `<ChecksumSHA256>${sum(claimed)}</ChecksumSHA256></Part>`))
      return true
    })
    assert.equal(await put(object), 'stored')
    assert.deepEqual(calls.filter((call) => !/^(GET|DELETE)/.test(call)), expected)
  }
})
