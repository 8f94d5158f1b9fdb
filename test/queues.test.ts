import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Level } from 'level'
import { LANES, type Entry, type Lane } from '../bridge/entry.ts'
import { inspectSpool, isWell } from '../bridge/spool/inspect.ts'
import { Spool } from '../bridge/spool/spool.ts'
import { Scheduler } from '../bridge/uplink/scheduler.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'

const FAILURE = { failedAt: 1, reason: 'too_large', detail: '', attempts: 1 }
const UPLOAD = { uploadedAt: 1, bucket: 'images', key: 'k', etag: 'e', sha256: 'ab'.repeat(32) }

/** `bulk cam-1` and so on; each in the index when it resolves. */
async function fill (spool: Spool, ...names: string[]): Promise<Entry[]> {
  const entries = await Promise.all(names.map((name, nth) => {
    const [lane, device = ''] = name.split(' ')
    const payload = jpegOf(1000 + nth)
    return spool.append({ ...arrivalOf(device, `i${nth}`, payload), lane: lane as Lane }, payload)
  }))
  await eventually(() => LANES.reduce((sum, lane) => sum + spool.levels.queues[lane].waiting.count, 0) >= names.length)
  return entries.sort((a, b) => a.sequence - b.sequence)
}

/** What comes out of a scheduler until nothing is left, each image uploaded before the next is asked for. */
async function drain (spool: Spool, order: 'fair' | 'newest' = 'fair'): Promise<string[]> {
  const scheduler = new Scheduler(spool, { order, lanes: { alarm: 0.4, normal: 0.4, bulk: 0.2 } })
  const names: string[] = []
  for (let left = spool.ledger.waiting; left > 0; left--) {
    const entry = await scheduler.next(AbortSignal.timeout(5000)) ?? assert.fail(`${left} of them are not found`)
    assert.ok(await spool.markUploaded(entry, UPLOAD), `${entry.imageId} waits no longer`)
    scheduler.done(entry)
    names.push(`${entry.lane} ${entry.imageId}`)
  }
  return names
}

async function reopen (t: TestContext, directory: string): Promise<Spool> {
  return (await openTestSpool(t, { directory })).spool
}

const NAMES = ['bulk cam-1', 'bulk cam-1', 'bulk cam-1', 'normal cam-2', 'alarm cam-1', 'alarm cam-3']

test('lanes, and what an operator has put first, are what they were after a restart', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const entries = await fill(spool, ...NAMES)
  assert.equal(await spool.prioritize(entries[2] ?? assert.fail()), true)
  const before = spool.levels.queues
  assert.deepEqual([before.prioritized.waiting.count, before.bulk.waiting.count, before.alarm.waiting.count], [1, 2, 2])
  await spool.close()
  const again = await reopen(t, directory)
  for (const one of ['prioritized', ...LANES] as const) {
    assert.deepEqual(again.levels.queues[one].waiting, before[one].waiting, one)
  }
  assert.deepEqual((await drain(again)).slice(0, 2), ['bulk i2', 'alarm i4'])
  assert.deepEqual(again.levels.queues.bulk.waiting, { count: 0, bytes: 0 })
  for (const one of ['prioritized', ...LANES] as const) {
    const name = { class: one, deviceId: entries[0]?.deviceId ?? assert.fail() }
    assert.deepEqual(await again.backlog.read(name, { after: 0, before: Infinity, limit: 10 }), [], one)
  }
})

test('an image put first is sent with the bytes and the name that its device gave it', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const [entry] = await fill(spool, 'bulk cam-1')
  const payload = await spool.payload(entry ?? assert.fail())
  await spool.close() // so that it is read back from a sealed segment, which is held against the index
  const again = await reopen(t, directory)
  const waiting = (await again.waiting(0, 1))[0] ?? assert.fail('nothing waits')
  assert.equal(await again.prioritize(waiting), true)
  assert.deepEqual(await again.payload(waiting), payload)
  assert.equal(waiting.lane, 'bulk')
})

test('only what waits can be put first', async (t) => {
  const { spool } = await openTestSpool(t)
  const [failed, stored] = await fill(spool, 'bulk cam-1', 'bulk cam-1')
  assert.ok(failed !== undefined && stored !== undefined)
  await spool.setAside(failed, FAILURE)
  await spool.markUploaded(stored, UPLOAD)
  assert.deepEqual([await spool.prioritize(failed), await spool.prioritize(stored)], [false, false])
})

test('an index of an earlier version is given its queues at the start, and one that was lost has them again', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await fill(spool, ...NAMES)
  await spool.close()
  const index = new Level<string, string>(join(directory, 'index'))
  const before = await index.keys({ gt: 'q', lt: 'r' }).all()
  await index.clear({ gt: 'q', lt: 'r' })
  await index.put('qbcam-9/00000000000999', '1 1') // of an image that an earlier version has uploaded meanwhile
  await index.close()
  const upgraded = await reopen(t, directory)
  await upgraded.close()
  await index.open()
  assert.deepEqual(await index.keys({ gt: 'q', lt: 'r' }).all(), before)
  await index.close()
  await rm(join(directory, 'index'), { recursive: true })
  const rebuilt = await reopen(t, directory)
  assert.deepEqual((await drain(rebuilt)).sort(), ['alarm i4', 'alarm i5', 'bulk i0', 'bulk i1', 'bulk i2', 'normal i3'])
})

test('a check finds nothing wrong with the queues, nor with an index that has none yet', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const [entry] = await fill(spool, ...NAMES)
  await spool.prioritize(entry ?? assert.fail())
  await spool.close()
  assert.ok(isWell(await inspectSpool(directory) ?? assert.fail()))
  const index = new Level<string, string>(join(directory, 'index'))
  await index.clear({ gt: 'q', lt: 'r' })
  await index.close()
  assert.ok(isWell(await inspectSpool(directory) ?? assert.fail()))
})

test('what a crash leaves behind is in its lane: what waits is found once, what has left is not found', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const entries = await fill(spool, ...NAMES)
  const [gone, first] = [entries[0] ?? assert.fail(), entries[1] ?? assert.fail()]
  await spool.markUploaded(gone, UPLOAD)
  await spool.prioritize(first)
  const copy = join(await makeTempDirectory(t), 'spool')
  await cp(directory, copy, { recursive: true }) // as a crash at this moment would leave it
  const again = await Spool.open(spoolOptions(copy), () => {})
  t.after(() => again.close())
  assert.deepEqual((await drain(again)).sort(), ['alarm i4', 'alarm i5', 'bulk i1', 'bulk i2', 'normal i3'])
})

test('an image that failed and is retried is found again, wherever the scheduler has come to', async (t) => {
  for (const order of ['fair', 'newest'] as const) {
    const { spool } = await openTestSpool(t)
    const scheduler = new Scheduler(spool, { order, lanes: { alarm: 0.4, normal: 0.4, bulk: 0.2 } })
    await fill(spool, ...Array<string>(30).fill('bulk cam-1'))
    let failed: Entry | undefined
    for (let nth = 0; nth < 20; nth++) {
      const entry = await scheduler.next(AbortSignal.timeout(5000)) ?? assert.fail()
      if (nth === 5) {
        await spool.setAside(entry, FAILURE)
        failed = entry
      } else {
        await spool.markUploaded(entry, UPLOAD)
      }
      scheduler.done(entry)
    }
    await spool.retry(failed ?? assert.fail())
    const left = new Set<number>()
    for (let nth = 0; nth < 11; nth++) {
      const entry = await scheduler.next(AbortSignal.timeout(5000)) ?? assert.fail(`${order}: ${nth} of 11`)
      left.add(entry.sequence)
    }
    assert.ok(left.size === 11 && left.has(failed?.sequence ?? 0), order)
  }
})

test('an image that an operator deletes is not picked any more', async (t) => {
  const { spool } = await openTestSpool(t)
  const [first, dropped, last] = await fill(spool, 'bulk cam-1', 'bulk cam-1', 'bulk cam-1')
  assert.ok(first !== undefined && dropped !== undefined && last !== undefined)
  const scheduler = new Scheduler(spool)
  assert.equal((await scheduler.next(AbortSignal.timeout(5000)))?.sequence, first.sequence)
  await spool.drop(dropped)
  assert.equal((await scheduler.next(AbortSignal.timeout(5000)))?.sequence, last.sequence)
  assert.equal(spool.levels.queues.bulk.waiting.count, 2)
})

test('the oldest age of a lane is that of its own oldest image', async (t) => {
  const { spool } = await openTestSpool(t)
  const entries = await fill(spool, ...NAMES)
  await spool.markUploaded(entries[0] ?? assert.fail(), UPLOAD)
  await eventually(() => spool.levels.queues.bulk.oldestReceivedAt === entries[1]?.receivedAt &&
    spool.levels.queues.alarm.oldestReceivedAt === entries[4]?.receivedAt)
  assert.equal(spool.levels.queues.prioritized.oldestReceivedAt, undefined)
})
