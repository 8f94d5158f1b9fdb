// The store of what will not upload, when the disk fails it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Level } from 'level'
import type { Entry } from '../../bridge/entry.ts'
import { SET_ASIDE } from '../../bridge/spool/index-rows.ts'
import { inspectSpool, isWell } from '../../bridge/spool/inspect.ts'
import { SetAside } from '../../bridge/spool/set-aside.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { SpoolIndex } from '../../bridge/spool/spool-index.ts'
import { eventually } from '../helpers/eventually.ts'
import { filesBelow, flip } from '../helpers/rot.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from '../helpers/spool.ts'

const failure = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }

function entryOf (sequence: number, payload: Buffer): Entry {
  return { sequence, ...arrivalOf('cam-1', `i${sequence}`, payload) }
}

/** Has the calls of a method fail for which `isBad` holds; answers how many have. */
function plant (t: TestContext, method: 'batch' | 'open', isBad: (location: string) => boolean): () => number {
  const real = Level.prototype[method]
  let failed = 0
  t.mock.method(Level.prototype, method, async function (this: Level, ...args: unknown[]): Promise<unknown> {
    if (!isBad(this.location)) return await Reflect.apply(real, this, args)
    failed++
    throw new Error('planted')
  })
  return () => failed
}

test('nothing counts as set aside that was written behind a failed write, until the store is opened anew', async (t) => {
  const setAside = await SetAside.open(await makeTempDirectory(t), () => {})
  t.after(() => setAside.close())
  const doubtful = new Set<Level<string, Buffer>>()
  const writtenBehind: string[] = []
  const real = Level.prototype.batch
  t.mock.method(Level.prototype, 'batch', async function (this: Level<string, Buffer>, ...args: unknown[]): Promise<void> {
    if (doubtful.has(this)) writtenBehind.push(this.location)
    if (doubtful.size > 0) return await Reflect.apply(real, this, args)
    doubtful.add(this)
    throw new Error('planted')
  })
  const payloads = Array.from({ length: 8 }, () => randomBytes(1000))
  const put = payloads.map((payload, nth) => setAside.put(entryOf(nth + 1, payload), failure, payload))
  assert.deepEqual(await Promise.all(put), [false, ...Array<boolean>(7).fill(true)])
  assert.deepEqual(writtenBehind, [])
})

test('what is set aside can be read again once the disk is well, be it that nothing is written meanwhile', async (t) => {
  const directory = await makeTempDirectory(t)
  const setAside = await SetAside.open(directory, () => {})
  t.after(() => setAside.close())
  const [first, second] = [randomBytes(1000), randomBytes(1000)]
  assert.equal(await setAside.put(entryOf(1, first), failure, first), true)
  let isBad = true
  const failed = [plant(t, 'batch', () => isBad), plant(t, 'open', () => isBad)]
  for (const result of [false, false]) assert.equal(await setAside.put(entryOf(2, second), failure, second), result)
  assert.ok(failed.every((count) => count() > 0))
  await assert.rejects(setAside.payload(1), /planted/)
  isBad = false
  assert.deepEqual(await setAside.payload(1), first)
})

test('an image that will not upload while the index is repaired fails once that is done, and stops nobody', async (t) => {
  const index = await SpoolIndex.open(await makeTempDirectory(t), () => {})
  let isBad = true
  t.after(async () => {
    isBad = false // or it would never close
    await index.close()
  })
  const payload = randomBytes(1000)
  await index.taken(entryOf(1, payload), 1)
  const failed = [plant(t, 'batch', () => isBad), plant(t, 'open', () => isBad)]
  const synced = index.sync()
  await eventually(() => failed.every((count) => count() > 0) && !index.isReadable, { what: 'the repair of the index' })
  const failing = index.failed(1, failure, SET_ASIDE)
  isBad = false
  await synced
  assert.equal((await failing)?.state, 'waiting')
  assert.equal(index.locate(1)?.state, 'failed')
})

test('rot in what was set aside last costs no image set aside behind it', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const payloads = Array.from({ length: 3 }, () => randomBytes(3000)) // one block of the log holds them all
  for (const [nth, payload] of payloads.entries()) {
    await spool.setAside(await spool.append(arrivalOf('cam-1', `i${nth}`, payload), payload), failure)
  }
  await spool.close()
  const [log = ''] = await filesBelow(join(directory, 'set-aside'), /\.log$/)
  await flip(log, 5, 7) // the length of the first fragment, which then ends beyond the block
  const { spool: next, events } = await openTestSpool(t, { directory })
  assert.ok(events.some((event) => event.kind === 'spool-damaged' && event.part === 'set-aside'))
  const { held } = await next.list({ state: 'failed', limit: 9 })
  assert.equal(held.length, 3)
  for (const { entry } of held) assert.deepEqual(await next.payload(entry), payloads[Number(entry.imageId.slice(1))])
})

test('a start that dies while it takes over what failed loses none of it: the next one goes on', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const payloads = Array.from({ length: 4 }, () => randomBytes(3000))
  for (const [nth, payload] of payloads.entries()) {
    await spool.setAside(await spool.append(arrivalOf('cam-1', `i${nth}`, payload), payload), failure)
  }
  await spool.close()
  const [log = ''] = await filesBelow(join(directory, 'set-aside'), /\.log$/)
  await flip(log, 5, 7)
  let puts = 0
  const { put } = SetAside.prototype
  const dying = t.mock.method(SetAside.prototype, 'put', async function (this: SetAside, ...args: Parameters<typeof put>) {
    if (++puts > 2) throw new Error('the power is gone')
    return await put.apply(this, args)
  })
  await assert.rejects(Spool.open(spoolOptions(directory), () => {}), /the power is gone/)
  dying.mock.restore()
  const left = await makeTempDirectory(t)
  await cp(directory, left, { recursive: true }) // the process that died has the other one open
  const { spool: next } = await openTestSpool(t, { directory: left })
  const { held } = await next.list({ state: 'failed', limit: 9 })
  assert.equal(held.length, 4)
  for (const { entry } of held) assert.deepEqual(await next.payload(entry), payloads[Number(entry.imageId.slice(1))])
})

test('what failed and lost its bytes with the store is said to be corrupt, and a check finds nothing more', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const payloads = Array.from({ length: 3 }, () => randomBytes(3000))
  for (const [nth, payload] of payloads.entries()) {
    await spool.setAside(await spool.append(arrivalOf('cam-1', `i${nth}`, payload), payload), failure)
  }
  await spool.close()
  const [log = ''] = await filesBelow(join(directory, 'set-aside'), /\.log$/)
  await rm(log)
  const { spool: next } = await openTestSpool(t, { directory })
  const { held } = await next.list({ state: 'failed', limit: 9 })
  assert.deepEqual(held.map((one) => one.state === 'failed' && one.failure.reason), ['corrupt', 'corrupt', 'corrupt'])
  assert.deepEqual(next.ledger, { acknowledged: 3, uploaded: 0, waiting: 0, failed: 3, dropped: 0 })
  await next.close()
  const report = await inspectSpool(directory)
  assert.ok(report !== undefined && isWell(report), JSON.stringify(report))
})
