import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { ObjectStore } from '../bridge/objects/object-store.ts'
import { objectOf } from './contract/object-store.ts'
import { eventually } from './helpers/eventually.ts'
import { startScripted, startTestStore, storeAt } from './helpers/s3.ts'

const PART_BYTES = 1000
const signal = new AbortController().signal

type Call = 'create' | 'complete' | 'abort' | 'head' | `part ${number}`

/** A store that writes down what it is asked, and answers what a test says or what S3 does. */
async function startParts (t: TestContext, ifNoneMatch = false): Promise<{
  store: ObjectStore, calls: Call[], say: Map<Call, (response: ServerResponse) => void>, headers: IncomingMessage['headers'][]
}> {
  const calls: Call[] = []
  const headers: IncomingMessage['headers'][] = []
  const say = new Map<Call, (response: ServerResponse) => void>()
  let uploads = 0
  const endpoint = await startScripted(t, (request, response) => {
    const call = callOf(request)
    calls.push(call)
    headers.push(request.headers)
    const told = say.get(call)
    if (told !== undefined) return told(response)
    if (call === 'create') response.end(document('InitiateMultipartUploadResult', `<UploadId>u${++uploads}</UploadId>`))
    else if (call === 'complete') response.end(document('CompleteMultipartUploadResult', '<ETag>"whole-3"</ETag>'))
    else if (call === 'head') response.writeHead(404).end()
    else response.writeHead(call === 'abort' ? 204 : 200, { etag: '"part"' }).end()
  })
  const { store } = storeAt(t, endpoint, { partBytes: PART_BYTES, ifNoneMatch })
  return { store, calls, say, headers }
}

function callOf ({ method, url = '' }: IncomingMessage): Call {
  const query = new URL(url, 'http://store').searchParams
  if (method === 'PUT') return `part ${Number(query.get('partNumber'))}`
  if (method === 'POST') return query.has('uploads') ? 'create' : 'complete'
  return method === 'DELETE' ? 'abort' : 'head'
}

const document = (name: string, content: string): string => `<?xml version="1.0"?><${name}>${content}</${name}>`
const error = (status: number, code: string) => (response: ServerResponse): void => {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(document('Error', `<Code>${code}</Code>`))
}

test('an object over the size of a part goes in parts, each with its own sums', async (t) => {
  const { store, calls, headers } = await startParts(t)
  const object = objectOf(randomBytes(2500))
  assert.deepEqual(await store.put(object, signal), { kind: 'stored', etag: 'whole-3' })
  assert.deepEqual(calls, ['create', 'part 1', 'part 2', 'part 3', 'complete'])
  const last = createHash('sha256').update(object.body.subarray(2000)).digest()
  assert.equal(headers[3]?.['x-amz-content-sha256'], last.toString('hex'))
  assert.equal(headers[3]?.['x-amz-checksum-sha256'], last.toString('base64'))
  assert.equal(headers[3]?.['content-length'], '500')
  assert.equal(headers[0]?.['x-amz-meta-sha256'], object.sha256)
})

test('an object of one part is put as before', async (t) => {
  const { store, calls } = await startParts(t)
  assert.equal((await store.put(objectOf(randomBytes(PART_BYTES)), signal)).kind, 'stored')
  assert.deepEqual(calls, ['part 0'])
})

test('after a fault an upload goes on with the part that is missing', async (t) => {
  const { store, calls, say } = await startParts(t)
  const object = objectOf(randomBytes(2500))
  say.set('part 2', (response) => { response.destroy() })
  assert.equal((await store.put(object, signal)).kind, 'unavailable')
  say.clear()
  assert.equal((await store.put(object, signal)).kind, 'stored')
  assert.deepEqual(calls, ['create', 'part 1', 'part 2', 'part 2', 'part 3', 'complete'])
})

test('an upload that the store has forgotten is begun anew at once', async (t) => {
  const { store, calls, say } = await startParts(t)
  const object = objectOf(randomBytes(1500))
  say.set('part 2', (response) => { response.destroy() })
  await store.put(object, signal)
  say.set('part 2', (response) => {
    say.clear()
    error(404, 'NoSuchUpload')(response)
  })
  assert.equal((await store.put(object, signal)).kind, 'stored')
  assert.deepEqual(calls, ['create', 'part 1', 'part 2', 'part 2', 'create', 'part 1', 'part 2', 'complete'])
})

test('a store that forgets every upload is unavailable, and not asked for ever', async (t) => {
  const { store, calls, say } = await startParts(t)
  say.set('part 2', error(404, 'NoSuchUpload'))
  const outcome = await store.put(objectOf(randomBytes(1500)), signal)
  assert.ok(outcome.kind === 'unavailable' && /forgotten the parts/.test(outcome.detail), JSON.stringify(outcome))
  assert.deepEqual(calls, ['create', 'part 1', 'part 2'])
})

test('an object whose completion was done and its answer lost is not sent again', async (t) => {
  const { store, calls, say } = await startParts(t)
  const object = objectOf(randomBytes(1500))
  say.set('complete', (response) => { response.destroy() })
  assert.equal((await store.put(object, signal)).kind, 'unavailable')
  say.set('complete', error(404, 'NoSuchUpload'))
  say.set('head', (response) => {
    response.writeHead(200, { 'content-length': 1500, etag: '"whole-2"', 'x-amz-meta-sha256': object.sha256 }).end()
  })
  assert.deepEqual(await store.put(object, signal), { kind: 'stored', etag: 'whole-2' })
  assert.equal(calls.filter((call) => call.startsWith('part')).length, 2)
})

test('a completion that was lost with its parts is no success', async (t) => {
  const { store, say, calls } = await startParts(t)
  const object = objectOf(randomBytes(1500))
  say.set('complete', error(404, 'NoSuchUpload'))
  const outcome = await store.put(object, signal)
  assert.ok(outcome.kind === 'unavailable' && outcome.reason === 'server_error', JSON.stringify(outcome))
  say.clear()
  assert.equal((await store.put(object, signal)).kind, 'stored')
  assert.equal(calls.filter((call) => call === 'create').length, 2)
})

test('what is refused for good leaves no parts behind, and neither do other bytes under its key', async (t) => {
  const { store, calls, say } = await startParts(t)
  const object = objectOf(randomBytes(1500))
  say.set('part 2', error(400, 'EntityTooLarge'))
  assert.equal((await store.put(object, signal)).kind, 'refused')
  await eventually(() => calls.at(-1) === 'abort')
  say.set('part 2', (response) => { response.destroy() })
  await store.put(object, signal)
  say.clear()
  assert.equal((await store.put({ ...objectOf(randomBytes(1500)), key: object.key }, signal)).kind, 'stored')
  await eventually(() => calls.filter((call) => call === 'abort').length === 2)
})

test('bytes that are not those of the SHA-256 are not sent', async (t) => {
  const { store, calls } = await startParts(t)
  const outcome = await store.put({ ...objectOf(randomBytes(1500)), body: randomBytes(1500) }, signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'checksum')
  assert.deepEqual(calls, [])
})

test('parts are verified by the local store whatever is asked of it, and no key is overwritten where that is', async (t) => {
  const { endpoint } = await startTestStore(t)
  const body = randomBytes(11_000_000)
  for (const integrity of ['sha256', 'md5', 'crc32'] as const) {
    const { store, agents } = storeAt(t, endpoint, { integrity, partBytes: 5 * 2 ** 20, ifNoneMatch: true })
    const object = objectOf(body)
    assert.equal((await store.put(object, signal)).kind, 'stored', integrity)
    assert.ok((await store.get(object.key, signal))?.equals(body))
    assert.ok(agents.sentBytes() < body.length * 1.001, `${agents.sentBytes()} bytes`)
    const other = { ...objectOf(randomBytes(6_000_000)), key: object.key }
    const outcome = await store.put(other, signal)
    assert.equal(outcome.kind === 'refused' && outcome.reason, 'key_taken', JSON.stringify(outcome))
  }
})
