import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { objectOf, objectStoreContract, TIMEOUT_MS, type Head, type StoreUnderTest } from './contract/object-store.ts'
import { evenLine } from './helpers/line.ts'
import { BUCKET, CREDENTIALS, startScripted, startServer, startTestStore, storeAt } from './helpers/s3.ts'

const KB = 1000
const signal = new AbortController().signal

objectStoreContract('S3 on the local store', (t) => startUnderTest(t, 0))
objectStoreContract('S3 on the local store, behind another put', (t) => startUnderTest(t, 1))

async function startUnderTest (t: TestContext, putsBefore: number): Promise<StoreUnderTest> {
  const { endpoint, faults } = await startTestStore(t)
  const options = { endpoint, region: 'us-east-1', forcePathStyle: true, credentials: CREDENTIALS }
  const client = new S3Client(options)
  t.after(() => client.destroy())
  return {
    async open (trouble) {
      const { store } = storeAt(t, endpoint, {
        timeoutMs: trouble === 'stalled' ? TIMEOUT_MS : 5000,
        ...(trouble === 'missing-bucket' ? { bucket: 'no-such-bucket' } : {}),
        ...(trouble === 'wrong-secret' ? { credentials: { ...CREDENTIALS, secretAccessKey: 'wrong' } } : {})
      })
      const puts = trouble === 'down' ? 0 : putsBefore // a connection that was open breaks, and is not refused
      for (let put = 0; put < puts; put++) await store.put(objectOf(randomBytes(10)), signal)
      await faults.set({ outage: trouble === 'down', stall: trouble === 'stalled' })
      return store
    },
    async head (key): Promise<Head> {
      const { ContentType, Metadata } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))
      return { contentType: ContentType ?? '', metadata: Metadata ?? {} }
    }
  }
}

test('the hash that is known signs the request, and the sum for the store is signed with it', async (t) => {
  const seen: IncomingMessage['headers'][] = []
  const endpoint = await startScripted(t, ({ headers }, response) => {
    seen.push(headers)
    response.setHeader('etag', '"1"').end()
  })
  const object = objectOf(randomBytes(100))
  const unlike = { ...object, sha256: 'ab'.repeat(32), crc32: 1 } // not the body's: nobody has computed them
  const sums = [
    ['sha256', 'x-amz-checksum-sha256', Buffer.from(unlike.sha256, 'hex').toString('base64')],
    ['crc32', 'x-amz-checksum-crc32', 'AAAAAQ=='],
    ['md5', 'content-md5', createHash('md5').update(object.body).digest('base64')]
  ] as const
  for (const [integrity, header, value] of sums) {
    const { store } = storeAt(t, endpoint, { integrity })
    assert.equal((await store.put(unlike, signal)).kind, 'stored')
    const headers = seen.at(-1) ?? {}
    assert.equal(headers['x-amz-content-sha256'], unlike.sha256)
    assert.equal(headers[header], value)
    assert.equal(headers['content-length'], '100')
    const signed = /SignedHeaders=([^,]*)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
    for (const name of ['x-amz-content-sha256', header, 'x-amz-meta-sha256', 'content-type']) {
      assert.ok(signed.includes(name), `${name} is not among ${signed.join(' ')}`)
    }
  }
})

test('each integrity is verified by the local store', async (t) => {
  const { endpoint } = await startTestStore(t)
  const object = objectOf(randomBytes(100))
  for (const integrity of ['sha256', 'md5', 'crc32'] as const) {
    const { store } = storeAt(t, endpoint, { integrity })
    assert.equal((await store.put(object, signal)).kind, 'stored', integrity)
  }
  const { store } = storeAt(t, endpoint, { integrity: 'crc32' })
  const damaged = await store.put({ ...object, crc32: 7 }, signal)
  assert.equal(damaged.kind === 'unavailable' && damaged.reason, 'checksum', JSON.stringify(damaged))
})

test('an ETag that is the MD5 of other bytes is no success, unless the store encrypts', async (t) => {
  let headers: Record<string, string> = {}
  const endpoint = await startScripted(t, (_request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('etag', `"${'0'.repeat(32)}"`).end()
  })
  const { store } = storeAt(t, endpoint, { integrity: 'md5' })
  const outcome = await store.put(objectOf(randomBytes(10)), signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'checksum')
  headers = { 'x-amz-server-side-encryption': 'aws:kms' }
  assert.equal((await store.put(objectOf(randomBytes(10)), signal)).kind, 'stored')
})

test('with ifNoneMatch, what is there already is stored and another object is not overwritten', async (t) => {
  const { endpoint } = await startTestStore(t)
  const { store } = storeAt(t, endpoint, { ifNoneMatch: true })
  const object = objectOf(randomBytes(1000), 'one.jpg')
  const first = await store.put(object, signal)
  assert.equal(first.kind, 'stored')
  assert.deepEqual(await store.put(object, signal), first)
  const other = await store.put(objectOf(randomBytes(1000), 'one.jpg'), signal)
  assert.equal(other.kind === 'refused' && other.reason, 'key_taken')
  assert.ok((await store.get('one.jpg', signal))?.equals(object.body))
})

test('a body that the line lets out slowly outlasts the time-out', async (t) => {
  const { endpoint } = await startTestStore(t)
  const { store } = storeAt(t, endpoint, { timeoutMs: 200 }, evenLine(100 * KB, 40 * KB))
  const startedAt = performance.now()
  assert.equal((await store.put(objectOf(randomBytes(120 * KB)), signal)).kind, 'stored')
  assert.ok(performance.now() - startedAt > 1000)
})

test('a store that stops reading in the middle of a body is a time-out', async (t) => {
  const endpoint = await startServer(t, (request) => { request.once('data', () => request.pause()) })
  const { store } = storeAt(t, endpoint, { timeoutMs: 300 })
  const startedAt = performance.now()
  const outcome = await store.put(objectOf(Buffer.alloc(30_000 * KB)), signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'timeout')
  assert.ok(performance.now() - startedAt < 3000)
})

test('a store that falls silent in the middle of an answer does not hold a get', async (t) => {
  const endpoint = await startScripted(t, (_request, response) => {
    response.setHeader('content-length', 1000).write('some')
  })
  const { store } = storeAt(t, endpoint, { timeoutMs: 300 })
  await assert.rejects(store.get('a.jpg', signal), /in time/)
})

test('a put that is refused early does not send the rest of its body', async (t) => {
  const endpoint = await startServer(t, (request, response) => {
    request.resume()
    response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
  })
  const { store, agents } = storeAt(t, endpoint, {}, evenLine(1000 * KB, 10 * KB))
  const outcome = await store.put(objectOf(randomBytes(5000 * KB)), signal)
  assert.equal(outcome.kind === 'unavailable' && outcome.reason, 'auth')
  const sent = agents.sentBytes()
  await sleep(100) // ten pieces' time, in which nothing may leave
  assert.ok(agents.sentBytes() <= sent + 10 * KB && sent < 500 * KB, `${sent}, then ${agents.sentBytes()}`)
})

test('puts one after the other share a connection, and a put is one request', async (t) => {
  const connections = new Set<unknown>()
  let requests = 0
  const endpoint = await startScripted(t, ({ socket }, response) => {
    connections.add(socket)
    requests++
    response.writeHead(requests <= 20 ? 200 : 503, { etag: '"1"' }).end()
  })
  const { store } = storeAt(t, endpoint)
  for (let i = 0; i < 20; i++) await store.put(objectOf(randomBytes(100 * KB)), signal)
  assert.deepEqual([requests, connections.size], [20, 1])
  assert.equal((await store.put(objectOf(randomBytes(10)), signal)).kind, 'unavailable')
  assert.equal(requests, 21)
})

test('a probe is small', async (t) => {
  const { endpoint } = await startTestStore(t)
  const { store, agents } = storeAt(t, endpoint)
  assert.deepEqual(await store.probe(signal), { kind: 'available' })
  assert.ok(agents.sentBytes() < 1000, `${agents.sentBytes()} bytes`)
})
