import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, open, readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Level } from 'level'
import { EntryCorrupt } from '../bridge/spool/errors.ts'
import { SegmentFiles } from '../bridge/spool/segment-files.ts'
import { formatSegmentPath, Segment, type EntryWithPayload } from '../bridge/spool/segment.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'
import { Spool } from '../bridge/spool/spool.ts'

const MIB = 1024 * 1024

/** A segment that LevelDB has written and closed. */
async function write (
  root: string, number: number, batches: ReadonlyArray<readonly number[]>
): Promise<{ location: string, log: string, records: readonly EntryWithPayload[] }> {
  const segment = await Segment.create(root, number)
  const records: EntryWithPayload[] = []
  for (const sizes of batches) {
    const batch = sizes.map((bytes, at): EntryWithPayload => {
      const payload = randomBytes(bytes)
      const sequence = records.length + at + 1
      return { entry: { sequence, ...arrivalOf('cam-1', `a${sequence}`, payload) }, payload }
    })
    await segment.append(batch)
    records.push(...batch)
  }
  await segment.close()
  const location = formatSegmentPath(root, number)
  const [name = ''] = (await readdir(location)).filter((file) => file.endsWith('.log'))
  return { location, log: join(location, name), records }
}

async function reads (location: string, records: readonly EntryWithPayload[]): Promise<void> {
  const log = await SegmentFiles.open(location, 1)
  assert.equal(log.damage, undefined)
  for (const { entry, payload } of records) {
    assert.ok((await log.payload(entry.sequence))?.equals(payload), `${entry.sequence} of ${payload.length} bytes`)
    assert.equal(JSON.stringify(await log.entry(entry.sequence)), JSON.stringify(entry))
  }
  assert.equal(await log.payload(records.length + 1), undefined)
  await log.close()
}

async function tables (root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true })
  return files.filter((file) => /\.(ldb|sst)$/.test(file))
}

test('what LevelDB wrote is read from its log byte for byte, whatever the sizes and batches', async (t) => {
  const root = await makeTempDirectory(t)
  // Around the places where a value begins or ends with a block or a fragment of one.
  const nearBlocks = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -600, max: 60 }))
    .map(([blocks, off]) => Math.max(0, blocks * 32768 + off))
  const size = fc.oneof(nearBlocks, fc.integer({ min: 0, max: 300_000 }))
  let number = 0
  await fc.assert(fc.asyncProperty(fc.array(fc.array(size, { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
    async (batches) => {
      const { location, records } = await write(root, ++number, batches)
      await reads(location, records)
    }), { numRuns: 60 })
})

test('every length around a block is read, where the value begins and where it ends', async (t) => {
  const root = await makeTempDirectory(t)
  for (let shift = 0; shift < 40; shift++) {
    const sizes = Array.from({ length: 8 }, (_, at) => 32768 - 400 + shift + at * 37)
    const { location, records } = await write(root, shift + 1, sizes.map((bytes) => [bytes]))
    await reads(location, records)
  }
})

/** A closed spool with images in one sealed segment, each in a batch of its own. */
async function closedSpool (
  t: TestContext, images: number
): Promise<{ directory: string, payloads: readonly Buffer[] }> {
  const directory = await makeTempDirectory(t)
  const spool = await Spool.open(spoolOptions(directory, { segmentBytes: 16 * MIB }), () => {})
  const payloads = Array.from({ length: images }, () => randomBytes(100_000))
  for (const [at, payload] of payloads.entries()) await spool.append(arrivalOf('cam-1', `a${at}`, payload), payload)
  await spool.close()
  return { directory, payloads }
}

for (const [harm, spoil] of [
  ['scribbled on', async (log: string, at: number) => {
    const file = await open(log, 'r+')
    await file.write(Buffer.alloc(8, 0xff), 0, 8, at)
    await file.close()
  }],
  ['cut short', truncate]
] as const) {
  test(`of a log that was ${harm}, what is whole is read and the rest is called damaged`, async (t) => {
    const { directory, payloads } = await closedSpool(t, 6)
    for (let at = 5; at < 600_000; at += 40_009) {
      const copy = await makeTempDirectory(t)
      await cp(directory, copy, { recursive: true })
      const segment = formatSegmentPath(join(copy, 'segments'), 1)
      const [log = ''] = (await readdir(segment)).filter((name) => name.endsWith('.log'))
      await spoil(join(segment, log), at)
      const { spool } = await openTestSpool(t, { directory: copy })
      const damaged: number[] = []
      for (const [nth, entry] of (await spool.waiting(0, 10)).entries()) {
        const payload = await spool.payload(entry).catch((error: unknown) => {
          assert.ok(error instanceof EntryCorrupt, String(error))
          damaged.push(nth)
        })
        assert.ok(payload === undefined || payloads[nth]?.equals(payload))
      }
      const hit = Math.floor(at / 100_500)
      const isAsExpected = harm === 'cut short'
        ? damaged.length === 6 - hit && damaged[0] === hit
        : damaged.length <= 1 && damaged.every((nth) => Math.abs(nth - hit) <= 1) // a header is not missed
      assert.ok(isAsExpected, `at ${at}, in image ${hit}: damaged are ${damaged.join(' ')}`)
    }
  })
}

test('a segment that an earlier version let LevelDB turn into tables is read from those', async (t) => {
  const root = await makeTempDirectory(t)
  const { location, records } = await write(root, 1, [[1000, 0, 300_000], [70_000], [5]])
  const db = new Level(location, { compression: false })
  await db.open()
  await db.close()
  assert.ok((await tables(location)).length > 0)
  await reads(location, records)
})

test('a backlog is read without being written a second time', async (t) => {
  const { directory, payloads } = await closedSpool(t, 40)
  const { spool } = await openTestSpool(t, { directory })
  const waiting = await spool.waiting(0, 100)
  for (const [at, entry] of waiting.entries()) assert.ok(payloads[at]?.equals(await spool.payload(entry)))
  assert.equal(waiting.length, 40)
  assert.deepEqual(await tables(join(directory, 'segments')), [])
})

test('an image is read back from the moment it was acknowledged, while its segment is filled, finished and sealed', async (t) => {
  const { spool } = await openTestSpool(t, { segmentBytes: 2 * MIB, batchBytesMax: 200_000 })
  const over = new AbortController()
  const looking = (async () => { // as the uplink does: it opens ahead what will be read
    while (!over.signal.aborted) {
      for (const queue of spool.backlog.takeGrown()) {
        spool.backlog.expect(await spool.backlog.read(queue, { after: 0, before: Infinity, limit: 1000 }))
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const payloads = Array.from({ length: 150 }, () => randomBytes(100_000))
  const entries = await Promise.all(payloads.map(async (payload, at) => {
    const entry = await spool.append(arrivalOf('cam-1', `a${at}`, payload), payload)
    assert.ok((await spool.payload(entry)).equals(payload), `image ${at} at once`)
    return entry
  }))
  for (const [at, entry] of entries.entries()) assert.ok(payloads[at]?.equals(await spool.payload(entry)), `image ${at}`)
  over.abort()
  await looking
})
