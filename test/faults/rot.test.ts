// Flipped bits, cut files and files that are gone, in every kind of file of a spool.

import assert from 'node:assert/strict'
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Level } from 'level'
import { inspectSpool, isWell, type DamagedEntry } from '../../bridge/spool/inspect.ts'
import { createRandom } from '../../device-sim/random.ts'
import { devicesOf, drained, fastLine, publishUntilEnd, slowLine, storedIn } from '../helpers/custody.ts'
import { acknowledgedBy } from '../helpers/device.ts'
import { eventually } from '../helpers/eventually.ts'
import { startService } from '../helpers/process.ts'
import { assertHeld, copyOf, filesBelow, flip, harms, sendAll, workedSpool } from '../helpers/rot.ts'
import { arrivalOf } from '../helpers/spool.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'

const ROUNDS = rounds({ fast: 1, long: 20 }) // of three faults each

test('a flipped bit in a payload fails exactly that image as corrupt, and its neighbours go out', async (t) => {
  const random = createRandom(seedOf(t))
  const worked = await workedSpool(t)
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const copy = await copyOf(t, worked)
    const waiting = [...copy.payloads].filter(([id]) => !copy.left.has(id) && !copy.failed.has(id))
    const [id = '', payload = Buffer.alloc(0)] = waiting[Math.floor(random() * waiting.length)] ?? []
    const logs = await filesBelow(join(copy.directory, 'segments'), /\.log$/)
    const head = payload.subarray(0, 64)
    const found = await Promise.all(logs.map(async (log) => [log, (await readFile(log)).indexOf(head)] as const))
    const [log, at] = found.find(([, at]) => at >= 0) ?? ['', -1]
    await flip(log, at + Math.floor(random() * 64), round % 8)
    const outcome = await sendAll(t, copy)
    const what = `${id} in ${log}`
    assert.deepEqual([...outcome.corrupt], [id], what)
    await assertHeld(copy, outcome, what)
    const { deviceId, imageId } = arrivalOf('cam-1', id, payload)
    const held = await outcome.spool.find(deviceId, imageId)
    assert.equal(held?.state === 'failed' && held.failure.reason, 'corrupt', what)
    await outcome.close()
    const { close } = await sendAll(t, copy) // the first thing that a start does with what is drained
    await eventually(async () => (await readdir(join(copy.directory, 'segments'))).some((name) => name.endsWith('.damaged')),
      { what: 'the damaged segment under another name' })
    await close()
  }
})

/** Of one flipped bit: the image that it hit, and the next where it hit what stands between them. */
const FLIPPED_MAX = 2

const places = {
  'the log of a segment': ['segments', /\.log$/],
  'CURRENT or MANIFEST of a segment': ['segments', /(CURRENT|MANIFEST-\d+)$/],
  'the log of the index': ['index', /\.log$/],
  'a table of the index': ['index', /\.ldb$/],
  'CURRENT or MANIFEST of the index': ['index', /(CURRENT|MANIFEST-\d+)$/],
  'the set-aside store': ['set-aside', /\.log$|\.ldb$/],
  'CURRENT or MANIFEST of the set-aside store': ['set-aside', /(CURRENT|MANIFEST-\d+)$/]
} as const

for (const [name, [folder, pattern]] of Object.entries(places)) {
  test(`rot in ${name} loses and alters nothing, be it after a close or a kill`, async (t) => {
    const random = createRandom(seedOf(t))
    const worked = await workedSpool(t, random() < 0.5 ? 'closed' : 'killed')
    for (let round = 0; round < ROUNDS; round++) {
      for (const harm of Object.values(harms)) {
        const copy = await copyOf(t, worked)
        const files = await filesBelow(join(copy.directory, folder), pattern)
        const path = files[Math.floor(random() * files.length)] ?? ''
        const what = `${path}: ${await harm(path, random)}`
        const outcome = await sendAll(t, copy)
        await assertHeld(copy, outcome, what)
        if (folder === 'segments' && harm === harms.flipped) {
          assert.ok(outcome.spool.ledger.failed - copy.failed.size <= FLIPPED_MAX, `${what}: neighbours failed, too`)
        }
        await outcome.close()
      }
    }
  })
}

test('a flipped bit in the header of a log hides its images from LevelDB, and from nobody here', async (t) => {
  const worked = await workedSpool(t)
  const [log = ''] = await filesBelow(join(worked.directory, 'segments'), /\.log$/)
  await flip(log, 5, 7) // the length of the first fragment
  const outcome = await sendAll(t, worked)
  assert.deepEqual([outcome.corrupt.size, outcome.sent.size], [0, 20])
  await assertHeld(worked, outcome, log)
})

test('a MANIFEST that was cut to nothing does not stop a start', async (t) => {
  for (const folder of ['index', 'set-aside']) {
    const worked = await workedSpool(t)
    const [manifest = ''] = await filesBelow(join(worked.directory, folder), /MANIFEST-\d+$/)
    await truncate(manifest, 0)
    const outcome = await sendAll(t, worked)
    await assertHeld(worked, outcome, manifest)
    assert.ok((await readdir(worked.directory)).includes(`${folder}.damaged`))
  }
})

test('an index that is lost is made again from the segments, in words, and gives no sequence twice', async (t) => {
  const worked = await workedSpool(t)
  await rename(join(worked.directory, 'index'), join(worked.directory, 'elsewhere'))
  const { spool, events, sent } = await sendAll(t, worked)
  const damages = events.filter((event) => event.kind === 'spool-damaged')
  assert.match(damages[0]?.detail ?? '', /it is not there; it is made again from the segments/)
  assert.equal(sent.size, worked.payloads.size - worked.failed.size) // those that had left are sent once more
  assert.deepEqual(spool.ledger, { acknowledged: 24, uploaded: 22, waiting: 0, failed: 2, dropped: 0 })
  const payload = Buffer.from('later')
  const { sequence } = await spool.append(arrivalOf('cam-2', 'later', payload), payload)
  assert.ok(sequence > 1e15, `${sequence}`)
})

test('an index without its log is damaged, which a check says, and is made again in words', async (t) => {
  const worked = await workedSpool(t)
  const [log = ''] = (await readdir(join(worked.directory, 'index'))).filter((name) => name.endsWith('.log'))
  await rm(join(worked.directory, 'index', log))
  const damage = new RegExp(`log ${parseInt(log, 10)} is not there`)
  assert.match((await inspectSpool(worked.directory))?.damages[0] ?? '', damage)
  const { spool, events } = await sendAll(t, worked)
  const [event] = events.filter((event) => event.kind === 'spool-damaged')
  assert.match(event?.detail ?? '', damage)
  assert.ok((await readdir(worked.directory)).includes('index.damaged'))
  assert.deepEqual(spool.ledger, { acknowledged: 24, uploaded: 22, waiting: 0, failed: 2, dropped: 0 })
})

test('a row of the index that is no JSON has the index made again, and the old one is kept', async (t) => {
  const worked = await workedSpool(t)
  const db = new Level<string, string>(join(worked.directory, 'index'))
  const [key] = await db.keys({ gt: 'w', lt: 'x', limit: 1 }).all()
  assert.ok(key !== undefined)
  await db.put(key, '{"entry":')
  await db.close()
  const outcome = await sendAll(t, worked)
  await assertHeld(worked, outcome, key)
  assert.ok((await readdir(worked.directory)).includes('index.damaged'))
  assert.ok(outcome.events.some((event) => event.kind === 'spool-damaged' && event.part === 'index'))
})

test('tables that a crash left unfinished are no damage: the ledger goes on, and nothing is made again', async (t) => {
  const worked = await workedSpool(t, 'killed')
  const [table = ''] = await filesBelow(join(worked.directory, 'index'), /\.ldb$/)
  const bytes = await readFile(table)
  for (const folder of ['index', 'set-aside']) {
    await writeFile(join(worked.directory, folder, '000900.ldb'), bytes.subarray(0, bytes.length / 2))
    await writeFile(join(worked.directory, folder, '000901.ldb'), '')
  }
  const report = await inspectSpool(worked.directory)
  assert.ok(report !== undefined && isWell(report))
  const { spool, events } = await sendAll(t, worked)
  assert.deepEqual(events.filter(({ kind }) => kind === 'spool-damaged'), [])
  assert.deepEqual(spool.ledger, { acknowledged: 24, uploaded: 22, waiting: 0, failed: 2, dropped: 0 })
})

test('a row of the index that names another image is not believed: nothing goes out under a wrong name', async (t) => {
  const worked = await workedSpool(t)
  const db = new Level<string, string>(join(worked.directory, 'index'))
  const [[key, value] = []] = await db.iterator({ gt: 'w', lt: 'x', limit: 1 }).all()
  assert.ok(key !== undefined && value !== undefined)
  await db.put(key, value.replaceAll('"cam-1"', '"cam-9"'))
  await db.close()
  const { corrupt, sent } = await sendAll(t, worked)
  assert.deepEqual([corrupt.size, sent.size], [1, 19])
})

test('the service that starts on a rotten image fails it by name, keeps its segment, and uploads all others', async (t) => {
  const random = createRandom(seedOf(t))
  const devices = devicesOf(random, 2)
  const first = await startService(t, { env: slowLine })
  const { dataDir } = first
  const waiting = eventually(async () => (await first.status()).ledger.waiting > 8, { timeoutMs: 20_000 })
  await publishUntilEnd(first, devices, async () => {
    await waiting
    await first.kill('SIGKILL')
  }, random)
  const report = await inspectSpool(join(dataDir, 'spool'))
  assert.deepEqual(report?.damaged, [])
  const rotten = await rotOneThatWaits(join(dataDir, 'spool'))

  const next = await startService(t, { dataDir, env: fastLine })
  const ledger = await drained(next)
  assert.equal(ledger.failed, 1)
  const image = await fetch(`${next.url}/api/v1/images/${rotten.deviceId}:${rotten.imageId}`)
  const { state, reason } = await image.json() as { state: string, reason: string }
  assert.deepEqual([state, reason], ['failed', 'corrupt'])
  const [stored, acknowledged] = [await storedIn(dataDir), acknowledgedBy(devices)]
  acknowledged.delete(`${rotten.deviceId}/${rotten.imageId}`)
  for (const [name, hash] of acknowledged) assert.equal(stored.get(name), hash, name)
  assert.equal(stored.has(`${rotten.deviceId}/${rotten.imageId}`), false)
  assert.equal((await next.kill('SIGTERM')).code, 0)
})

/** From the end of what was written backwards, since the oldest images may have left. */
async function rotOneThatWaits (directory: string): Promise<DamagedEntry> {
  const log = (await filesBelow(join(directory, 'segments'), /\.log$/)).at(-1) ?? ''
  const { length } = await readFile(log)
  for (let at = length - 5000; at > 0 && at > length - 200_000; at -= 15_000) { // images have 20 kB and more
    await flip(log, at, 3)
    const { damaged = [] } = await inspectSpool(directory) ?? {}
    if (damaged[0] !== undefined && damaged.length === 1) return damaged[0]
    await flip(log, at, 3)
  }
  throw new Error(`no image that waits was hit in ${log}`)
}
