// What a start makes of segments that the index does not know, or does not know all of.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  cp, mkdir, open, readFile, readlink, rename, rm, rmdir, stat, truncate, type FileHandle
} from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { crc32 } from '../../bridge/crc32.ts'
import { formatRecord } from '../../bridge/spool/entry-record.ts'
import { formatSequence } from '../../bridge/spool/segment.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { eventually } from '../helpers/eventually.ts'
import { filesBelow, flip } from '../helpers/rot.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from '../helpers/spool.ts'

/** A spool as it is on disk, its index as it was before `work`: a loss of power takes what was not synced of that. */
async function cutAfter (
  t: TestContext, directory: string, work: (spool: Spool) => Promise<unknown>
): Promise<string> {
  const [before, after] = [await makeTempDirectory(t), await makeTempDirectory(t)]
  await cp(join(directory, 'index'), join(before, 'index'), { recursive: true })
  const spool = await Spool.open(spoolOptions(directory), () => {})
  await work(spool)
  await cp(directory, after, { recursive: true })
  await spool.close()
  await rm(join(after, 'index'), { recursive: true })
  await cp(join(before, 'index'), join(after, 'index'), { recursive: true })
  return after
}

async function spoolWith (t: TestContext, images: ReadonlyMap<string, Buffer>): Promise<string> {
  const directory = await makeTempDirectory(t)
  const spool = await Spool.open(spoolOptions(directory), () => {})
  await appendAll(spool, images)
  await spool.close()
  return directory
}

async function appendAll (spool: Spool, images: ReadonlyMap<string, Buffer>): Promise<number[]> {
  const entries = [...images].map(([id, payload]) => spool.append(arrivalOf('cam-1', id, payload), payload))
  return (await Promise.all(entries)).map(({ sequence }) => sequence)
}

/** The log in which these bytes stand. */
async function logWith (directory: string, bytes: Buffer): Promise<{ log: string, at: number }> {
  for (const log of await filesBelow(join(directory, 'segments'), /\.log$/)) {
    const at = (await readFile(log)).indexOf(bytes)
    if (at >= 0) return { log, at }
  }
  assert.fail('no segment holds it')
}

function images (...ids: readonly string[]): Map<string, Buffer> {
  return new Map(ids.map((id) => [id, randomBytes(60_000)]))
}

test('what a start reads back is synced before anybody is told that we have it', async (t) => {
  const late = images('b')
  const after = await cutAfter(t, await spoolWith(t, images('a')), (spool) => appendAll(spool, late))
  const { log } = await logWith(after, late.get('b')?.subarray(100, 164) ?? Buffer.alloc(0))
  const synced: string[] = []
  const handle = await open(log, 'r')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  const { sync } = prototype
  await handle.close()
  t.mock.method(prototype, 'sync', async function (this: FileHandle) {
    await sync.call(this)
    synced.push(await readlink(`/proc/self/fd/${this.fd}`))
  })
  const { spool } = await openTestSpool(t, { directory: after })
  assert.equal(spool.ledger.waiting, 2)
  assert.ok(synced.includes(log), synced.join(' '))
})

test('an image that comes again because ours is damaged survives a loss of power', async (t) => {
  const image = randomBytes(30_000)
  const directory = await spoolWith(t, new Map([['a', image]]))
  const { log, at } = await logWith(directory, image.subarray(100, 164))
  await flip(log, at, 3)
  const after = await cutAfter(t, directory, (spool) => appendAll(spool, new Map([['a', image]])))
  const { spool } = await openTestSpool(t, { directory: after })
  const waiting = await spool.waiting(0, 9)
  assert.equal(waiting.length, 2)
  const [damaged, sound] = waiting
  assert.ok(damaged !== undefined && sound !== undefined)
  await assert.rejects(spool.payload(damaged), { code: 'corrupt' })
  assert.ok((await spool.payload(sound)).equals(image))
})

test('no number is given twice while a segment waits to be read back', async (t) => {
  const [first, lost, later] = [images('a'), images('b', 'c', 'd'), images('e', 'f', 'g', 'h')]
  const after = await cutAfter(t, await spoolWith(t, first), (spool) => appendAll(spool, lost))
  const { log } = await logWith(after, lost.get('b')?.subarray(100, 164) ?? Buffer.alloc(0))
  await rename(log, `${log}.away`)
  await mkdir(log) // it cannot be read, and the disk says so
  const { spool, events } = await openTestSpool(t, { directory: after })
  assert.ok(events.some((event) => event.kind === 'spool-fault' && event.operation === 'open'))
  await appendAll(spool, later)
  await rmdir(log)
  await rename(`${log}.away`, log)
  await eventually(async () => (await spool.waiting(0, 99)).length === 8, { timeoutMs: 10_000, what: 'all that was taken' })
  for (const entry of await spool.waiting(0, 99)) {
    const written = [first, lost, later].map((some) => some.get(entry.imageId)).find((payload) => payload !== undefined)
    assert.ok(written !== undefined && (await spool.payload(entry)).equals(written), entry.imageId)
  }
})

test('an image that was not written to its end is nothing, also where only its last bytes are missing', async (t) => {
  const torn = images('b')
  const after = await cutAfter(t, await spoolWith(t, images('a')), (spool) => appendAll(spool, torn))
  const { log } = await logWith(after, torn.get('b')?.subarray(100, 164) ?? Buffer.alloc(0))
  await truncate(log, (await stat(log)).size - 4096)
  const { spool, events } = await openTestSpool(t, { directory: after })
  assert.deepEqual((await spool.waiting(0, 9)).map(({ imageId }) => String(imageId)), ['a'])
  assert.equal(spool.ledger.acknowledged, 1)
  assert.ok(!events.some(({ kind }) => kind === 'spool-damaged'))
})

test('an image whose key has rotted is found all the same when the index is lost', async (t) => {
  const all = images('a', 'b', 'c')
  const directory = await spoolWith(t, all)
  const { log, at } = await logWith(directory, Buffer.from('p00000000000002'))
  await flip(log, at, 0)
  await rm(join(directory, 'index'), { recursive: true })
  const { spool } = await openTestSpool(t, { directory })
  const waiting = await spool.waiting(0, 9)
  assert.deepEqual(waiting.map(({ imageId }) => String(imageId)).sort(), ['a', 'b', 'c'])
  for (const entry of waiting) assert.ok((await spool.payload(entry)).equals(all.get(entry.imageId) ?? Buffer.alloc(0)))
})

test('what looks like an entry within an image is none, also where that image was torn', async (t) => {
  const secret = Buffer.from('what cam-9 would have go out as cam-1')
  const put = (key: string, value: Buffer): Buffer => Buffer.concat([
    Buffer.from([1, 15]), Buffer.from(key), varint(value.length), value
  ])
  const forged = { sequence: 77, ...arrivalOf('cam-1', 'forged', secret) }
  const carrier = Buffer.concat([
    randomBytes(5000),
    put(`e${formatSequence(77)}`, Buffer.from(formatRecord(forged))), put(`p${formatSequence(77)}`, secret),
    randomBytes(80_000)
  ])
  assert.equal(forged.crc32, crc32(secret))
  const after = await cutAfter(t, await spoolWith(t, images('a')), (spool) =>
    spool.append(arrivalOf('cam-9', 'carrier', carrier), carrier))
  const { log, at } = await logWith(after, carrier.subarray(100, 164))
  await truncate(log, at + 40_000)
  const { spool } = await openTestSpool(t, { directory: after })
  assert.deepEqual((await spool.waiting(0, 9)).map(({ imageId }) => String(imageId)), ['a'])
})

function varint (value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    bytes.push(left < 128 ? left : left % 128 + 128)
    if (left < 128) return Buffer.from(bytes)
  }
}
