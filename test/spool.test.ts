import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomBytes } from 'node:crypto'
import type { Entry } from '../bridge/entry.ts'
import { Spool } from '../bridge/spool/spool.ts'
import { eventually } from './helpers/eventually.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'

const upload = { uploadedAt: 1, bucket: 'b', key: 'k', etag: 'e', sha256: 's' }
const failure = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }

async function appendMany (spool: Spool, count: number, bytes = 100_000): Promise<Map<number, Buffer>> {
  const payloads = new Map<number, Buffer>()
  await Promise.all(Array.from({ length: count }, async (_, i) => {
    const payload = randomBytes(bytes)
    const entry = await spool.append(arrivalOf('cam-1', `i${i}`, payload), payload)
    payloads.set(entry.sequence, payload)
  }))
  return payloads
}

async function allWaiting (spool: Spool, count: number): Promise<Entry[]> {
  return await eventually(async () => {
    const entries = await spool.waiting(0, count + 10)
    return entries.length === count ? entries : undefined
  }, { what: `${count} waiting entries` })
}

function assertBalanced (spool: Spool): void {
  const { acknowledged, uploaded, waiting, failed, dropped } = spool.ledger
  assert.equal(acknowledged, uploaded + waiting + failed + dropped)
}

test('what is appended is read back byte for byte, in order of acceptance, over many segments', async (t) => {
  const { spool } = await openTestSpool(t)
  const payloads = await appendMany(spool, 60)
  const waiting = await allWaiting(spool, 60)
  assert.deepEqual(waiting.map(({ sequence }) => sequence), [...payloads.keys()].sort((a, b) => a - b))
  for (const entry of waiting) assert.deepEqual(await spool.payload(entry), payloads.get(entry.sequence))
  assertBalanced(spool)
})

test('a segment is full by all that it holds, and has one log, however short its images are', async (t) => {
  const { spool, directory } = await openTestSpool(t, { segmentBytes: 100_000, activeSegmentsMax: 1 })
  for (let wave = 0; wave < 20; wave++) {
    await Promise.all(Array.from({ length: 50 }, async (_, nth) => {
      const payload = randomBytes(50)
      await spool.append(arrivalOf('cam-1', `i${wave}-${nth}`, payload), payload)
    }))
  }
  const files = (await readdir(join(directory, 'segments'), { recursive: true })).filter((name) => /\.(log|ldb)$/.test(name))
  assert.ok(files.length > 3, `${files.length} segments`)
  assert.ok(files.every((name) => name.endsWith('000003.log')), files.join())
  for (const file of files) assert.ok((await stat(join(directory, 'segments', file))).size < 200_000, file)
})

test('a restart finds what waits without opening a sealed segment', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  const payloads = await appendMany(first, 30)
  await first.close()
  const { spool, events } = await openTestSpool(t, { directory })
  assert.equal(spool.ledger.waiting, 30)
  const recovered = events.find(({ kind }) => kind === 'spool-recovered')
  assert.ok(recovered?.kind === 'spool-recovered')
  assert.deepEqual([recovered.waiting, recovered.found], [30, 0])
  for (const entry of await allWaiting(spool, 30)) {
    assert.deepEqual(await spool.payload(entry), payloads.get(entry.sequence))
  }
})

test('a drained segment leaves the disk as a whole', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await appendMany(spool, 40)
  const segments = async (): Promise<number> => (await readdir(join(directory, 'segments'))).length
  const before = await segments()
  for (const entry of await allWaiting(spool, 40)) await spool.markUploaded(entry, upload)
  assert.deepEqual(spool.ledger, { acknowledged: 40, uploaded: 40, waiting: 0, failed: 0, dropped: 0 })
  await eventually(async () => await segments() <= 4, { what: `fewer than ${before} segments` })
})

test('while others are on their way out, what waits is found', async (t) => {
  const { spool } = await openTestSpool(t)
  await appendMany(spool, 40)
  const entries = await allWaiting(spool, 40)
  const marking = entries.slice(0, -1).map((entry) => spool.markUploaded(entry, upload))
  for (let look = 0; look < 200; look++) assert.equal((await spool.waiting(0, 1)).length, 1)
  await Promise.all(marking)
  assert.deepEqual(await spool.waiting(0, 1), entries.slice(-1))
})

test('what failed is set aside with its reason, pins no segment, and can be retried or dropped', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const payloads = await appendMany(spool, 40)
  const [bad, worse, ...good] = await allWaiting(spool, 40)
  assert.ok(bad !== undefined && worse !== undefined)
  await spool.setAside(bad, failure)
  await spool.setAside(worse, failure)
  for (const entry of good) await spool.markUploaded(entry, upload)
  await eventually(async () => (await readdir(join(directory, 'segments'))).length <= 4)
  assert.deepEqual(await spool.find(bad.deviceId, bad.imageId).then((held) => held?.state), 'failed')
  assert.deepEqual(await spool.payload(bad), payloads.get(bad.sequence))
  spool.backlog.takeGrown()
  assert.equal(await spool.retry(bad), true)
  assert.equal(await spool.drop(worse), true)
  assert.deepEqual(spool.backlog.takeGrown().map(({ from, to }) => [from, to]), [[bad.sequence, bad.sequence]])
  assert.deepEqual((await spool.waiting(0, 10)).map(({ sequence }) => sequence), [bad.sequence])
  assert.deepEqual(await spool.payload(bad), payloads.get(bad.sequence))
  assert.deepEqual(spool.ledger, { acknowledged: 40, uploaded: 38, waiting: 1, failed: 0, dropped: 1 })
})

test('an image moves once: of two that take it the second is told so', async (t) => {
  const { spool } = await openTestSpool(t)
  await appendMany(spool, 1)
  const [entry] = await allWaiting(spool, 1)
  assert.ok(entry !== undefined)
  const moved = await Promise.all([
    spool.markUploaded(entry, upload), spool.drop(entry), spool.setAside(entry, failure)
  ])
  assert.equal(moved.filter(Boolean).length, 1)
  assertBalanced(spool)
})

test('the spool refuses more than its limit, and goes on when there is room', async (t) => {
  const { spool, events } = await openTestSpool(t, { limitBytes: 12_000_000 })
  await assert.rejects(async () => { for (;;) await appendMany(spool, 10) }, { code: 'spool_full' })
  assert.ok(events.some((event) => event.kind === 'intake-paused' && event.reason === 'spool_full'))
  let entries = await spool.waiting(0, 1000)
  while (entries.length > 0) {
    for (const entry of entries) await spool.markUploaded(entry, upload)
    entries = await spool.waiting(0, 1000)
  }
  await spool.accepting(AbortSignal.timeout(10_000))
  await appendMany(spool, 1)
  assertBalanced(spool)
})

test('names are remembered for the dedup window, across a restart', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  await appendMany(first, 2)
  const [a, b] = await allWaiting(first, 2)
  assert.ok(a !== undefined && b !== undefined)
  await first.markUploaded(a, upload)
  await first.close()
  const { spool } = await openTestSpool(t, { directory })
  assert.equal((await spool.find(a.deviceId, a.imageId))?.state, 'uploaded')
  assert.equal((await spool.find(b.deviceId, b.imageId))?.state, 'waiting')
  assert.deepEqual((await spool.findByImageId(b.imageId)).map(({ entry }) => entry.sequence), [b.sequence])
})

test('a list is paged newest first and filtered by device', async (t) => {
  const { spool } = await openTestSpool(t)
  for (let i = 0; i < 9; i++) {
    const payload = Buffer.from(`p${i}`)
    await spool.append(arrivalOf(i % 3 === 0 ? 'cam-a' : 'cam-b', `n${i}`, payload), payload)
  }
  await allWaiting(spool, 9)
  const names: string[] = []
  let after: number | undefined
  do {
    const page = await spool.list({ state: 'waiting', limit: 4, ...after !== undefined && { after } })
    names.push(...page.held.map(({ entry }) => entry.imageId))
    after = page.next
  } while (after !== undefined)
  assert.deepEqual(names, ['n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0'])
  const [entry] = await spool.waiting(0, 1)
  const ofA = await spool.list({ state: 'waiting', limit: 9, ...entry && { deviceId: entry.deviceId } })
  assert.deepEqual(ofA.held.map(({ entry }) => entry.imageId), ['n6', 'n3', 'n0'])
})

test('a spool of a newer format is refused in words', async (t) => {
  const directory = await makeTempDirectory(t)
  await writeFile(join(directory, 'FORMAT'), '7\n')
  await assert.rejects(Spool.open(spoolOptions(directory), () => {}), { code: 'newer_format', message: /format 7/ })
})

test('a process that is refused because another has the spool leaves the reserve of that one alone', async (t) => {
  const { directory } = await openTestSpool(t)
  const reserve = join(directory, 'reserve')
  await writeFile(reserve, randomBytes(10_000))
  const second = spoolOptions(directory, { reserveBytes: 1e18 }) // so that its start gives up what there is
  await assert.rejects(Spool.open(second, () => {}), { code: 'in_use' })
  assert.equal((await readFile(reserve)).length, 10_000)
})

test('a spool in use by another process is refused in words', async (t) => {
  const { directory } = await openTestSpool(t)
  await assert.rejects(Spool.open(spoolOptions(directory), () => {}), { code: 'in_use', message: /another process/ })
})

test('an empty FORMAT without segments is that of a first start that lost its power: the spool is made', async (t) => {
  const directory = await makeTempDirectory(t)
  await writeFile(join(directory, 'FORMAT'), '')
  await openTestSpool(t, { directory })
  assert.equal(await readFile(join(directory, 'FORMAT'), 'utf8'), '1\n')
})

test('databases that lost their power while they were made are made again', async (t) => {
  const directory = await makeTempDirectory(t)
  for (const name of ['index', 'set-aside', 'segments/0000000001']) {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'CURRENT'), 'MANIFEST-000001\n')
    await writeFile(join(directory, name, 'MANIFEST-000001'), '')
  }
  const { spool, events } = await openTestSpool(t, { directory })
  await spool.append(arrivalOf('cam-1', 'a', Buffer.alloc(1000)), Buffer.alloc(1000))
  assert.deepEqual(events.filter(({ kind }) => kind === 'spool-fault'), [])
})

test('images that a damaged log does not show are all set aside, however many are asked for at once', async (t) => {
  const directory = await makeTempDirectory(t)
  const first = await Spool.open(spoolOptions(directory), () => {})
  for (const id of ['a', 'b', 'c', 'd']) await first.append(arrivalOf('cam-1', id, Buffer.alloc(1000)), Buffer.alloc(1000))
  await first.close()
  const segments = join(directory, 'segments')
  const logs = (await readdir(segments, { recursive: true })).filter((name) => name.endsWith('.log'))
  await Promise.all(logs.map((name) => truncate(join(segments, name), 0)))

  const { spool } = await openTestSpool(t, { directory })
  const failure = { failedAt: 0, reason: 'corrupt', detail: '', attempts: 1 }
  await Promise.all((await spool.waiting(0, 10)).map(async (entry) => {
    await assert.rejects(spool.payload(entry), { name: 'EntryCorrupt' })
    await spool.setAside(entry, failure)
  }))
  assert.deepEqual(spool.ledger, { acknowledged: 4, uploaded: 0, waiting: 0, failed: 4, dropped: 0 })
})

test('a batch that is synced together ends where it has the bytes that it may have', async (t) => {
  const options = { segmentBytes: 10_000_000, activeSegmentsMax: 1, batchBytesMax: 100_000 }
  const { spool, events } = await openTestSpool(t, options)
  const payload = Buffer.alloc(50_000, 7)
  await Promise.all(Array.from({ length: 9 }, (_, nth) => spool.append(arrivalOf('cam-1', `batch-${nth}`, payload), payload)))
  const batches = events.flatMap((event) => event.kind === 'spool-written' ? [event.entries] : [])
  assert.equal(batches.reduce((sum, entries) => sum + entries, 0), 9)
  assert.equal(Math.max(...batches), 2)
})
