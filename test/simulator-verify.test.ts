import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { test } from 'node:test'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { DeviceId, ImageId } from '../broker/topics.ts'
import { formatImageName, formatMark, type Mark } from '../device-sim/images/mark.ts'
import type { Acknowledged } from '../device-sim/devices/events.ts'
import type { Evidence } from '../device-sim/report/report.ts'
import type { StoreAccess } from '../device-sim/judge/bucket.ts'
import { verify } from '../device-sim/judge/verify.ts'
import { formatVerdictLines } from '../device-sim/report/text.ts'
import { bucket, credentials, startTestStore, type TestStore } from './helpers/local-store.ts'
import { listen } from './helpers/line.ts'

const RUN = '0123abcd'
const quick = { timeoutMs: 300, pollMs: 20 }

test('a run is held when every acknowledged image is in the store, whatever its key', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2), capture(3)]
  await store.client.send(put('images/sim-0001/a.jpg', images[0]))
  await store.client.send(put('b', images[1]))
  await store.client.send(put('x/y/z/c.bin', images[2]))
  const verdict = await verify(evidence(images), accessTo(store), quick)
  assert.deepEqual([verdict.held, verdict.found, verdict.acknowledged], [true, 3, 3])
  assert.match(formatVerdictLines(verdict).join('\n'),
    /held: 3 of 3 PUBACKed images are in the store; lost 0, duplicated 0, corrupted 0, unexpected 0, foreign 0/)
})

test('an acknowledged image that never comes is lost at the deadline, and named', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2)]
  await store.client.send(put(keyOf(1), images[0]))
  const verdict = await verify(evidence(images), accessTo(store), quick)
  assert.equal(verdict.held, false)
  assert.equal(verdict.lost.count, 1)
  assert.match(verdict.lost.examples[0] ?? '', /^sim-0001 0123abcd-000002, SHA-256 [0-9a-f]{64}$/)
})

test('an image that comes late is waited for', async (t) => {
  const store = await startTestStore(t)
  const image = capture(1)
  const looks: number[] = []
  const verdict = await verify(evidence([image]), accessTo(store), {
    timeoutMs: 10_000,
    pollMs: 20,
    progress: (found) => {
      if (looks.push(found) === 3) void store.client.send(put(keyOf(1), image))
    }
  })
  assert.equal(verdict.held, true)
  assert.ok(looks.length > 3)
})

test('an image of the warm-up is looked for, and is in no percentile', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2), capture(3)]
  for (const [at, image] of images.entries()) await store.client.send(put(keyOf(at + 1), image))
  const acknowledged = evidence(images).acknowledged.map((image, at) => ({ ...image, plannedAt: 1000 * at }))
  const verdict = await verify({ ...evidence([]), acknowledged, measuredFrom: 1000 }, accessTo(store), quick)
  assert.deepEqual([verdict.held, verdict.found, verdict.e2e.count], [true, 3, 2])
})

test('the same bytes under a second key are a duplicate', async (t) => {
  const store = await startTestStore(t)
  const image = capture(1)
  await store.client.send(put(keyOf(1), image))
  await store.client.send(put('images/again.jpg', image))
  const verdict = await verify(evidence([image]), accessTo(store), quick)
  assert.equal(verdict.held, false)
  assert.deepEqual([verdict.lost.count, verdict.duplicated.count, verdict.corrupted.count], [0, 1, 0])
})

test('an object of the run is corrupted when its bytes were never sent: one bit off, or cut short', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2), capture(3), capture(4)]
  const flipped = Buffer.from(images[0] ?? '')
  flipped[flipped.length - 1]! ^= 1
  await store.client.send(put(keyOf(1), flipped))
  await store.client.send(put('renamed-by-the-path', images[1]?.subarray(0, 30), { 'image-id': nameOf(2) }))
  await store.client.send(put(keyOf(3), Buffer.alloc(0)))
  await store.client.send(put(keyOf(4), images[3]))
  const verdict = await verify(evidence(images), accessTo(store), quick)
  assert.deepEqual([verdict.lost.count, verdict.duplicated.count, verdict.corrupted.count, verdict.found], [0, 0, 3, 1])
  assert.deepEqual([...verdict.corrupted.examples].sort(), [keyOf(1), keyOf(3), 'renamed-by-the-path'])
})

test('an image under another name, one that was never sent, and what is none are unexpected', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2), capture(3)]
  const [first, second, third] = evidence(images).acknowledged
  await store.client.send(put(keyOf(2), images[0]))
  await store.client.send(put(keyOf(1), images[1]))
  await store.client.send(put(keyOf(9), Buffer.from('never sent')))
  await store.client.send(put(keyOf(3), images[2]))
  const acknowledged = [first, second, { ...third, expect: 'refused' }] as Acknowledged[]
  const verdict = await verify({ ...evidence([]), acknowledged }, accessTo(store), quick)
  assert.deepEqual([verdict.acknowledged, verdict.found, verdict.lost.count, verdict.corrupted.count], [2, 2, 0, 0])
  assert.equal(verdict.unexpected.count, 4)
  assert.match(verdict.unexpected.examples.join('\n'),
    /000009\.jpg is of this run, which never sent it\n.*another image than it says\n.*\n.*000003\.jpg is no image/)
})

test('every detector counts exactly what was planted, each fault on its own image', async (t) => {
  const store = await startTestStore(t)
  const images = Array.from({ length: 40 }, (_, index) => capture(index + 1))
  for (const [index, image] of images.entries()) {
    if (index < 7) continue // lost
    const isCorrupted = index >= 20 && index < 25
    const damaged = Buffer.from(image.map((byte, at) => at === 1 ? 0 : byte))
    await store.client.send(put(keyOf(index + 1), isCorrupted ? damaged : image))
    if (index < 18) await store.client.send(put(`again/${index}`, image))
  }
  const verdict = await verify(evidence(images), accessTo(store), quick)
  const { lost, duplicated, corrupted, unexpected, found } = verdict
  assert.deepEqual([lost.count, duplicated.count, corrupted.count, unexpected.count, found], [7, 11, 5, 0, 28])
})

test('what is not of the run is foreign: of another run, another device, or nobody', async (t) => {
  const store = await startTestStore(t)
  const image = capture(1)
  const other = capture(1, { run: 'ffffffff' })
  await store.client.send(put(keyOf(1), image))
  await store.client.send(put('images/sim-0001/ffffffff-000001.jpg', other)) // the same device, a run before
  await store.client.send(put('images/sim-0001/6f1e.jpg', other)) // the same, without a name of its own
  await store.client.send(put('images/sim-0001/7a2b.jpg', Buffer.concat([other, Buffer.alloc(300_000)])))
  await store.client.send(put('images/cam-9/1.jpg', Buffer.alloc(image.length), { 'device-id': 'cam-9' }))
  await store.client.send(put('readme.txt', Buffer.from('hello')))
  const verdict = await verify(evidence([image]), accessTo(store), quick)
  assert.deepEqual([verdict.held, verdict.foreign.count], [true, 5])
})

test('an image sent without a PUBACK may be in the store or not', async (t) => {
  const store = await startTestStore(t)
  const [acknowledged, there, notThere] = [capture(1), capture(2), capture(3)]
  await store.client.send(put(keyOf(1), acknowledged))
  await store.client.send(put(keyOf(2), there))
  const unacknowledged = new Map(evidence([acknowledged, there, notThere]).acknowledged.slice(1)
    .map((image) => [image.sha256, image]))
  const verdict = await verify({ ...evidence([acknowledged]), unacknowledged }, accessTo(store), quick)
  assert.deepEqual([verdict.held, verdict.foreign.count], [true, 0])
})

test('an object is read once, however often the bucket is looked at', async (t) => {
  const store = await startTestStore(t)
  const images = [capture(1), capture(2), capture(3)]
  await store.client.send(put(keyOf(1), images[0]))
  await store.client.send(put(keyOf(2), images[1]))
  const before = store.faults.counts().requests
  let looks = 0
  await verify(evidence(images), accessTo(store), {
    timeoutMs: 10_000,
    pollMs: 20,
    progress: () => { if (++looks === 3) void store.client.send(put(keyOf(3), images[2])) }
  })
  assert.ok(looks > 3)
  assert.equal(store.faults.counts().requests - before, looks + 1 + 3)
})

test('a bucket is read to its end, page by page', async (t) => {
  const images = Array.from({ length: 12 }, (_, index) => capture(index + 1))
  const endpoint = `http://127.0.0.1:${(await listen(t, createPagedStore(images, 5))).port}`
  const verdict = await verify(evidence(images), { endpoint, bucket, ...credentials }, quick)
  assert.deepEqual([verdict.held, verdict.found], [true, 12])
})

test('a bucket that cannot be listed is no verdict but a sentence', async (t) => {
  const store = await startTestStore(t)
  const wanted = evidence([capture(1)])
  await assert.rejects(verify(wanted, { ...accessTo(store), bucket: 'nowhere' }, quick),
    { code: 'UNAVAILABLE', message: /^the bucket nowhere .* cannot be listed \(NoSuchBucket/ })
  for (const wrong of [{ secretAccessKey: 'wrong' }, { endpoint: 'http://127.0.0.1:9' }]) {
    await assert.rejects(verify(wanted, { ...accessTo(store), ...wrong }, quick), { code: 'UNAVAILABLE' })
  }
})

test('a run is not held where the store lists an object that it does not give, though all images were found', async (t) => {
  const images = Array.from({ length: 3 }, (_, index) => capture(index + 1))
  const { port } = await listen(t, createPagedStore([...images, undefined], 5))
  const verdict = await verify(evidence(images), { endpoint: `http://127.0.0.1:${port}`, bucket, ...credentials }, quick)
  assert.deepEqual([verdict.held, verdict.found, verdict.lost.count, verdict.unread.count], [false, 3, 0, 1])
  assert.match(formatVerdictLines(verdict).join('\n'), /NOT held: 3 of 3 .* foreign 0, unread 1;[^]*\n +unread: 3: /)
})

test('a store that is away for a while is waited for', async (t) => {
  const store = await startTestStore(t)
  const image = capture(1)
  await store.client.send(put(keyOf(1), image))
  store.faults.failNext(4)
  const verdict = await verify(evidence([image]), accessTo(store), { timeoutMs: 20_000, pollMs: 20 })
  assert.equal(verdict.held, true)
})

function capture (number: number, mark: Partial<Mark> = {}): Buffer {
  const own = { run: RUN, deviceId: 'sim-0001' as DeviceId, number, capturedAt: 1_790_000_000_000 }
  return Buffer.from(formatMark({ ...own, ...mark }))
}

function nameOf (number: number): ImageId {
  return formatImageName({ run: RUN, number })
}

function keyOf (number: number): string {
  return `images/sim-0001/2031/02/03/${nameOf(number)}.jpg`
}

function evidence (images: readonly Buffer[]): Evidence {
  const acknowledged = images.map((image, index): Acknowledged => ({
    device: 'sim-0001' as DeviceId,
    imageId: nameOf(index + 1),
    bytes: image.length,
    sha256: sha256(image),
    plannedAt: Date.now(),
    expect: 'stored',
    ackedAt: Date.now()
  }))
  return { run: RUN, startedAt: Date.now(), measuredFrom: 0, acknowledged, unacknowledged: new Map() }
}

function put (key: string, body: Buffer | undefined, metadata: Record<string, string> = {}): PutObjectCommand {
  return new PutObjectCommand({ Bucket: bucket, Key: key, Body: body ?? Buffer.alloc(0), Metadata: metadata })
}

function accessTo ({ endpoint }: TestStore): StoreAccess {
  return { endpoint, bucket, ...credentials }
}

// Answers ListObjectsV2 and GetObject of one bucket, and nothing else; an object that it has not it lists all the same.
function createPagedStore (images: ReadonlyArray<Buffer | undefined>, pageSize: number): Server {
  return createServer(({ url }, response) => {
    const { pathname, searchParams } = new URL(url ?? '/', 'http://store')
    const index = Number(pathname.split('/')[2])
    if (!searchParams.has('list-type')) {
      response.writeHead(images[index] === undefined ? 503 : 200).end(images[index])
      return
    }
    const from = Number(searchParams.get('continuation-token') ?? 0)
    const until = Math.min(images.length, from + pageSize)
    const contents = images.slice(from, until).map((image, at) => `<Contents><Key>${from + at}</Key>` +
      `<LastModified>${new Date().toISOString()}</LastModified><ETag>"${from + at}"</ETag>` +
      `<Size>${image?.length ?? 1}</Size></Contents>`)
    response.end(`<?xml version="1.0"?><ListBucketResult><IsTruncated>${until < images.length}</IsTruncated>` +
      `<NextContinuationToken>${until}</NextContinuationToken>${contents.join('')}</ListBucketResult>`)
  })
}

function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
