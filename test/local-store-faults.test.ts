import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HeadBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { eventually } from './helpers/eventually.ts'
import { bucket, createTestClient, get, startTestStore } from './helpers/local-store.ts'
import { send } from './helpers/s3-requests.ts'

const image = randomBytes(250_000)

async function put (client: S3Client, Key = 'a', signal?: AbortSignal): Promise<void> {
  const command = new PutObjectCommand({ Bucket: bucket, Key, Body: image })
  await client.send(command, signal === undefined ? {} : { abortSignal: signal })
}

async function milliseconds (work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

test('latency is added to every request, and taken away again', async (t) => {
  const { client, faults } = await startTestStore(t)
  await faults.set({ latencyMs: 300 })
  assert.ok(await milliseconds(async () => { await put(client) }) >= 300)
  await faults.clear()
  assert.ok(await milliseconds(async () => { await put(client) }) < 300)
})

test('bandwidth is shared by all who send', async (t) => {
  const { client, faults } = await startTestStore(t)
  await faults.set({ bytesPerSecond: 1_000_000 })
  const ms = await milliseconds(async () => { await Promise.all([put(client, 'a'), put(client, 'b'), put(client, 'c')]) })
  assert.ok(ms >= 700 && ms < 1500, `${ms.toFixed(0)} ms for 750 kB at 1 MB/s`)
  assert.deepEqual((await get(client, 'c')).bytes, image)
})

test('turning the bandwidth up again lets those go who were held back', async (t) => {
  const { client, faults } = await startTestStore(t)
  await faults.set({ bytesPerSecond: 1000 })
  const slow = put(client)
  await eventually(() => faults.counts().bodyBytes > 0)
  await faults.clear()
  await slow
})

test('a share of the requests fails with the error that was set, and a rate of 1 is all of them', async (t) => {
  const { client, faults, endpoint } = await startTestStore(t)
  await faults.set({ errorRate: 1 })
  await assert.rejects(put(client), { name: 'SlowDown' })
  await faults.set({ error: { status: 500, code: 'InternalError' } })
  const answer = await send({ endpoint, method: 'PUT', path: `/${bucket}/a`, body: image })
  assert.deepEqual([answer.status, answer.code], [500, 'InternalError'])
  await faults.set({ errorRate: 0.5 })
  const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await send({ endpoint, method: 'GET', path: '/' })).status))
  const failed = statuses.filter((status) => status === 500).length
  assert.ok(failed > 10 && failed < 50, `${failed} of 60`) // outside with a probability below 1 in 10 million
})

test('the next requests fail, as many as were asked for', async (t) => {
  const { client, faults } = await startTestStore(t)
  faults.failNext(2)
  await assert.rejects(put(client), { name: 'SlowDown' })
  await assert.rejects(put(client), { name: 'SlowDown' })
  await put(client)
  faults.failNext(1, { status: 403, code: 'AccessDenied' })
  await assert.rejects(put(client), { name: 'AccessDenied' })
})

test('puts of keys that match are refused, others are not', async (t) => {
  const { client, faults } = await startTestStore(t)
  faults.refuseKeys(/^bad\//g, { status: 400, code: 'InvalidRequest' })
  for (let i = 0; i < 2; i++) await assert.rejects(put(client, 'bad/a'), { name: 'InvalidRequest' })
  await put(client, 'good/bad/a')
  await faults.clear()
  await put(client, 'bad/a')
})

test('a stalled request is not answered until the stall ends, and then it is carried out', async (t) => {
  const { client, faults } = await startTestStore(t)
  await faults.set({ stall: true })
  await assert.rejects(put(client, 'given-up', AbortSignal.timeout(200)), { name: 'AbortError' })
  const waiting = put(client)
  await eventually(() => faults.counts().requests === 2)
  await faults.set({ stall: false })
  await waiting
  assert.deepEqual((await get(client, 'a')).bytes, image)
})

test('a connection is reset before, in the middle of, or after the request, and only then is it stored', async (t) => {
  const { client, faults, causes } = await startTestStore(t)
  for (const reset of ['request', 'body', 'answer'] as const) {
    await faults.set({ reset })
    await assert.rejects(put(client, reset), { code: /ECONNRESET|EPIPE/ }, reset)
  }
  await faults.clear()
  await assert.rejects(get(client, 'request'), { name: 'NoSuchKey' })
  await assert.rejects(get(client, 'body'), { name: 'NoSuchKey' })
  assert.deepEqual((await get(client, 'answer')).bytes, image)
  assert.deepEqual(causes, [], 'a client that is gone is no fault of the store')
})

test('in an outage running requests are cut and new connections refused; afterwards all is there', async (t) => {
  const { client, faults, endpoint } = await startTestStore(t)
  await put(client)
  await faults.set({ bytesPerSecond: 10_000 })
  const running = put(client, 'b')
  await eventually(() => faults.counts().bodyBytes > image.length)
  await Promise.all([assert.rejects(running, { code: /ECONNRESET|EPIPE/ }), faults.set({ outage: true })])
  const fresh = createTestClient(endpoint)
  t.after(() => { fresh.destroy() })
  await assert.rejects(fresh.send(new HeadBucketCommand({ Bucket: bucket })), { code: 'ECONNREFUSED' })
  await faults.clear()
  assert.deepEqual((await get(fresh, 'a')).bytes, image)
  await put(fresh, 'b')
})

test('a store that is down or stalled can be closed', async (t) => {
  const down = await startTestStore(t)
  await down.faults.set({ outage: true })
  await down.close()
  const stalled = await startTestStore(t)
  await stalled.faults.set({ stall: true })
  const waiting = put(stalled.client)
  await eventually(() => stalled.faults.counts().requests === 1)
  await Promise.all([assert.rejects(waiting), stalled.close()])
})

test('requests, body bytes and everything read from sockets are counted', async (t) => {
  const { faults, endpoint } = await startTestStore(t)
  assert.deepEqual(faults.counts(), { requests: 0, bodyBytes: 0, socketBytes: 0 })
  await send({ endpoint, method: 'PUT', path: `/${bucket}/a`, body: image })
  await send({ endpoint, method: 'GET', path: `/${bucket}/a` })
  const { requests, bodyBytes, socketBytes } = faults.counts()
  assert.deepEqual([requests, bodyBytes], [2, image.length])
  assert.ok(socketBytes > image.length + 300 && socketBytes < image.length + 2000, `${socketBytes} bytes`)
})
