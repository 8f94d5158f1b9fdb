// The spool alone on a small disk: what each part of it does where there is no room.

import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Entry } from '../../bridge/entry.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import { Segment } from '../../bridge/spool/segment.ts'
import { SetAside } from '../../bridge/spool/set-aside.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { eventually } from '../helpers/eventually.ts'
import { arrivalOf, spoolOptions } from '../helpers/spool.ts'
import { mountSmallDisk, whyNoMount, type SmallDisk } from './small-disk.ts'

const failure = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }
const payload = Buffer.alloc(50_000, 7)

function entryOf (sequence: number): Entry {
  return { sequence, ...arrivalOf('cam-1', `n${sequence}`, payload) }
}

/** A test that needs a small disk, skipped by name where there can be none. */
function onSmallDisk (name: string, body: (t: TestContext, disk: SmallDisk) => Promise<void>): void {
  test(name, async (t) => {
    const reason = whyNoMount()
    if (reason !== undefined) return t.skip(reason)
    await body(t, await mountSmallDisk(t, 24))
  })
}

onSmallDisk('a segment for which there is no room leaves nothing behind', async (_t, disk) => {
  const root = join(disk.directory, 'segments')
  await mkdir(root)
  await disk.fill(4096)
  for (let number = 1; number <= 5; number++) {
    await assert.rejects(Segment.create(root, number, 1_000_000), /No space left|ENOSPC|Database failed to open/)
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
