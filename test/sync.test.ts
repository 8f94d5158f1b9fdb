// What a kill -9 cannot show, because the page cache survives it: that every write which something is acknowledged
// for asks the disk to sync. test/faults cuts the power.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Level } from 'level'
import { Journal } from '../bridge/spool/journal.ts'
import { Spool } from '../bridge/spool/spool.ts'
import { arrivalOf, makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'

interface Write {
  readonly location: string
  readonly isSynced: boolean
}

/** Every write to any database of the process from here on. */
function watchWrites (t: TestContext): Write[] {
  const writes: Write[] = []
  for (const method of ['batch', 'put'] as const) {
    const real = Level.prototype[method]
    t.mock.method(Level.prototype, method, function (this: Level, ...args: unknown[]): unknown {
      const { sync } = args.at(-1) as { sync?: boolean } // both end with their options here
      writes.push({ location: this.location, isSynced: sync === true })
      return Reflect.apply(real, this, args)
    })
  }
  return writes
}

test('an append asks the disk to sync the segment it is written to, every time', async (t) => {
  const { spool } = await openTestSpool(t)
  const writes = watchWrites(t)
  for (let nth = 1; nth <= 5; nth++) {
    const payload = randomBytes(1000)
    await spool.append(arrivalOf('cam-1', `n${nth}`, payload), payload)
    const toSegments = writes.filter(({ location }) => location.includes('/segments/'))
    assert.equal(toSegments.length, nth)
    assert.ok(toSegments.every(({ isSynced }) => isSynced))
  }
})

test('what is set aside is synced before its segment lets go of it', async (t) => {
  const { spool } = await openTestSpool(t)
  const payload = randomBytes(1000)
  const entry = await spool.append(arrivalOf('cam-1', 'bad', payload), payload)
  const writes = watchWrites(t)
  await spool.setAside(entry, { failedAt: Date.now(), reason: 'store_refused', detail: '', attempts: 1 })
  const [first] = writes
  assert.match(first?.location ?? '', /set-aside$/)
  assert.equal(first?.isSynced, true)
})

test('what leaves the set-aside store is removed durably, after the index has said so durably', async (t) => {
  const { spool } = await openTestSpool(t)
  const payload = randomBytes(1000)
  for (const leave of ['drop', 'upload'] as const) {
    const entry = await spool.append(arrivalOf('cam-1', leave, payload), payload)
    await spool.setAside(entry, { failedAt: Date.now(), reason: 'store_refused', detail: '', attempts: 1 })
    await spool.retry(entry)
    const writes = watchWrites(t)
    const upload = { uploadedAt: 1, bucket: 'b', key: 'k', etag: 'e', sha256: 's' }
    assert.equal(await (leave === 'drop' ? spool.drop(entry) : spool.markUploaded(entry, upload)), true)
    const last = writes.slice(-2).map(({ location, isSynced }) => [location.split('/').at(-1), isSynced])
    assert.deepEqual(last, [['index', true], ['set-aside', true]])
    t.mock.restoreAll()
  }
})

test('the index is synced before a segment counts as sealed', async (t) => {
  const spool = await Spool.open(spoolOptions(await makeTempDirectory(t)), () => {})
  const payload = randomBytes(600_000)
  const writes = watchWrites(t)
  for (const name of ['a', 'b']) await spool.append(arrivalOf('cam-1', name, payload), payload)
  await spool.close()
  const toIndex = writes.filter(({ location }) => location.endsWith('/index'))
  assert.ok(toIndex.length > 0 && toIndex.at(-1)?.isSynced === true)
})

test('after a failed write the index is not read before what that may have lost is written again', async (t) => {
  const journal = await Journal.open(await makeTempDirectory(t), () => [], () => {})
  t.after(() => journal.close())
  await journal.write([{ key: 'w1', value: 'waiting' }])
  await journal.sync()
  const real = Level.prototype.batch
  const readableWhileWritten: boolean[] = []
  let failures = 1
  t.mock.method(Level.prototype, 'batch', async function (this: Level, ...args: unknown[]): Promise<void> {
    if (failures-- > 0) throw new Error('planted')
    readableWhileWritten.push(journal.isReadable)
    await Reflect.apply(real, this, args)
  })
  await journal.write([{ key: 'w1', value: undefined }, { key: 'u1', value: 'uploaded' }])
  assert.deepEqual(readableWhileWritten, [false])
  assert.deepEqual([journal.get('w1'), journal.get('u1'), journal.isReadable], [undefined, 'uploaded', true])
})
