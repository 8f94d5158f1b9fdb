// The spool alone on a small disk: what each part of it does where there is no room.

import assert from 'node:assert/strict'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Entry } from '../../bridge/entry.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import { Segment } from '../../bridge/spool/segment.ts'
import { SetAside } from '../../bridge/spool/set-aside.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { eventually } from '../helpers/eventually.ts'
import { arrivalOf, makeTempDirectory, spoolOptions } from '../helpers/spool.ts'
import { rounds } from './rounds.ts'
import { mounting, testWith } from './needs.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const failure = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }
const payload = Buffer.alloc(50_000, 7)

function entryOf (sequence: number): Entry {
  return { sequence, ...arrivalOf('cam-1', `n${sequence}`, payload) }
}

function onSmallDisk (name: string, body: (t: TestContext, disk: SmallDisk) => Promise<void>): void {
  testWith(mounting, name, async (t) => { await body(t, await mountSmallDisk(t, 24)) })
}

onSmallDisk('a segment for which there is no room leaves nothing behind', async (_t, disk) => {
  const root = join(disk.directory, 'segments')
  await mkdir(root)
  await disk.fill(4096)
  for (let number = 1; number <= 5; number++) {
    await assert.rejects(Segment.create(root, number), /No space left|ENOSPC|Database failed to open/)
  }
  assert.deepEqual(await readdir(root), [])
})

onSmallDisk('an image that will not upload fails where it lies while the disk is low, and can be sent again', async (t, disk) => {
  const options = spoolOptions(join(disk.directory, 'spool'), { reserveBytes: 4_000_000 })
  const spool = await Spool.open(options, () => {})
  t.after(() => spool.close())
  const entry = await spool.append(arrivalOf('cam-1', 'a1', payload), payload)
  const filler = await disk.fill(1_000_000)
  await eventually(() => spool.levels.paused?.reason === 'disk_low', { what: 'the pause' })
  const before = await disk.freeBytes()

  assert.equal(await spool.setAside(entry, failure), true)
  assert.equal(spool.ledger.failed, 1)
  assert.ok(before - await disk.freeBytes() < payload.length, 'the payload was copied')
  assert.deepEqual(await spool.payload(entry), payload)
  assert.equal(await spool.retry(entry), true)
  assert.deepEqual([await spool.payload(entry), spool.ledger.waiting], [payload, 1])
  await filler.remove()
})

onSmallDisk('what cannot be set aside is told, and set aside once there is room, beside what was there', async (t, disk) => {
  const events: BridgeEvent[] = []
  const setAside = await SetAside.open(join(disk.directory, 'set-aside'), (event) => { events.push(event) })
  assert.equal(await setAside.put(entryOf(1), failure, payload), true)
  const filler = await disk.fill()
  assert.equal(await setAside.put(entryOf(2), failure, payload), false)
  assert.deepEqual(events.map(({ kind }) => kind), ['spool-fault'])
  await filler.remove()
  assert.equal(await setAside.put(entryOf(2), failure, payload), true)
  await setAside.close()
  const again = await SetAside.open(join(disk.directory, 'set-aside'), () => {})
  t.after(() => again.close())
  assert.deepEqual(await again.sequences(), [1, 2])
  assert.deepEqual(await again.payload(2), payload)
})

onSmallDisk('the reserve is a file that is not counted as used, given up for a start on a full disk and made again', async (t, disk) => {
  const options = spoolOptions(join(disk.directory, 'spool'), { reserveBytes: 6_000_000 })
  const hasReserve = async (): Promise<boolean> => (await readdir(options.directory)).includes('reserve')
  const first = await Spool.open(options, () => {})
  await eventually(() => disk.freeBytes().then((free) => free < 20_000_000 && first.levels.usedBytes < 1_000_000))
  await eventually(hasReserve, { what: 'the reserve' })
  await first.close()
  const filler = await disk.fill()
  const second = await Spool.open(options, () => {})
  t.after(() => second.close())
  assert.equal(await hasReserve(), false)
  assert.equal(second.levels.paused?.reason, 'disk_low')
  await filler.remove()
  await eventually(hasReserve, { what: 'the reserve' })
  await eventually(() => second.levels.paused === undefined, { what: 'the end of the pause' })
})

/** Resolves with the number of appends that met the full disk; those that resolved are added to `kept`. */
async function appendAcrossFull (disk: SmallDisk, spool: Spool, round: number, kept: Set<string>): Promise<number> {
  let [nth, refused] = [0, 0]
  const append = async (): Promise<void> => {
    const name = `r${round}-${nth++}`
    await spool.append(arrivalOf('cam-1', name, payload), payload).then(() => kept.add(name), () => { refused++ })
  }
  await append()
  const filler = await disk.fill(round * 17_000 % 400_000)
  await Promise.all(Array.from({ length: 20 }, append))
  await filler.remove()
  await eventually(() => spool.levels.paused === undefined, { what: 'the end of the pause' })
  for (let more = 0; more < 5; more++) await append()
  return refused
}

onSmallDisk('what is acknowledged after a full disk survives the crash that follows', async (t, disk) => {
  let faults = 0
  for (let round = 0; round < rounds({ fast: 8, long: 50 }); round++) {
    const directory = join(disk.directory, `spool-${round}`)
    const spool = await Spool.open(spoolOptions(directory), (event) => { if (event.kind === 'spool-fault') faults++ })
    const kept = new Set<string>()
    assert.ok(await appendAcrossFull(disk, spool, round, kept) > 0, 'no append met the full disk')
    const copy = join(await makeTempDirectory(t), 'spool') // what a crash at this moment leaves
    await cp(directory, copy, { recursive: true })
    await spool.close()
    await rm(directory, { recursive: true })

    const again = await Spool.open(spoolOptions(copy), () => {})
    const found = await again.waiting(0, 100)
    for (const entry of found) assert.deepEqual(await again.payload(entry), payload)
    const lost = [...kept].filter((name) => !found.some(({ imageId }) => imageId === name))
    await again.close()
    assert.deepEqual(lost, [])
  }
  assert.ok(faults > 0, 'no write ever failed')
  t.diagnostic(`${faults} faults of the spool`)
})

onSmallDisk('what has left of a drained segment is marked on a full disk, which gives up its reserve for that', async (_t, disk) => {
  const faults: string[] = []
  const options = spoolOptions(join(disk.directory, 'spool'), { segmentBytes: 200_000, reserveBytes: 16_000_000 })
  const spool = await Spool.open(options, (event) => { if (event.kind === 'spool-fault') faults.push(event.operation) })
  const entries: Entry[] = []
  for (let n = 0; n < 12; n++) entries.push(await spool.append(arrivalOf('cam-1', `n${n}`, payload), payload))
  await eventually(async () => await disk.freeBytes() < 14_000_000, { what: 'the reserve' })
  const filler = await disk.fill()
  const upload = { key: 'k', sha256: 'ab', uploadedAt: 1, bucket: 'images', etag: 'e' }
  const marked = Promise.all(entries.map((entry) => spool.markUploaded(entry, { ...upload, key: 'k'.repeat(5000) })))
  const isMarked = await Promise.race([marked.then(() => true), delay(15_000, false)])
  await filler.remove() // else a spool that waits would keep the test, too
  assert.ok(faults.includes('index'), 'the index found room')
  assert.ok(isMarked, 'the index waits for room, and its reserve is kept')
  await marked
  await spool.close()
})
