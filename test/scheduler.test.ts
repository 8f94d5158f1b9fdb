import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LANES, type Entry } from '../bridge/entry.ts'
import type { Order } from '../bridge/uplink/lane-queue.ts'
import { Scheduler, SCHEDULER_DEFAULTS } from '../bridge/uplink/scheduler.ts'
import { FakeSpool } from './helpers/backlog.ts'
import { jain } from './helpers/jain.ts'

const soon = (): AbortSignal => AbortSignal.timeout(2000)

function schedulerOf (spool: FakeSpool, order: Order = 'fair'): Scheduler {
  return new Scheduler(spool, { ...SCHEDULER_DEFAULTS, order })
}

/** The next `count`, each stored before the one after it is picked. */
async function pick (spool: FakeSpool, scheduler: Scheduler, count: number): Promise<Entry[]> {
  const picked: Entry[] = []
  while (picked.length < count) {
    const entry = await scheduler.next(soon())
    if (entry === undefined) break
    picked.push(entry)
    spool.remove(entry)
    scheduler.done(entry)
  }
  return picked
}

const sequences = (entries: readonly Entry[]): number[] => entries.map(({ sequence }) => sequence)

function bytesByDevice (entries: readonly Entry[]): Map<string, number> {
  const bytes = new Map<string, number>()
  for (const entry of entries) bytes.set(entry.deviceId, (bytes.get(entry.deviceId) ?? 0) + entry.bytes)
  return bytes
}

test("of 200 devices 5 send 50 times as much, and Jain's index of what each got stays at 0.98 or more", async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool)
  const random = fc.sample(fc.integer({ min: 100_000, max: 400_000 }), { numRuns: 3000, seed: 1 })
  const got: Entry[] = []
  for (let round = 0; round < 20; round++) {
    for (let device = 0; device < 200; device++) {
      const count = device < 5 ? 50 : 1
      for (let i = 0; i < count; i++) spool.append(`cam-${device}`, { bytes: random[(round * 450 + device + i) % 3000] ?? 1 })
    }
    got.push(...await pick(spool, scheduler, 150)) // 445 came: the backlog lasts
  }
  const bytes = bytesByDevice(got)
  assert.equal(bytes.size, 200)
  assert.ok(jain([...bytes.values()]) >= 0.98, `${jain([...bytes.values()])}`)
})

test('images that cannot be read keep no others from going, however many they are', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool, 'oldest')
  for (let i = 0; i < 1500; i++) spool.append('broken')
  for (let i = 0; i < 1500; i++) {
    const entry = await scheduler.next(soon())
    assert.ok(entry !== undefined)
    scheduler.readLater(entry, 60_000)
  }
  scheduler.retryNow() // the store is back, and the disk is not
  for (let i = 0; i < 10; i++) spool.append('sound')
  assert.deepEqual((await pick(spool, scheduler, 10)).map(({ deviceId }) => String(deviceId)), Array<string>(10).fill('sound'))
})

test('of devices whose backlogs last none gets more than one image more than another, whatever their sizes', async () => {
  const backlogs = fc.array(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 30, maxLength: 60 }),
    { minLength: 2, maxLength: 8 })
  await fc.assert(fc.asyncProperty(backlogs, async (backlogs) => {
    const spool = new FakeSpool()
    const scheduler = schedulerOf(spool)
    for (const [device, sizes] of backlogs.entries()) {
      for (const bytes of sizes) spool.append(`cam-${device}`, { bytes })
    }
    const got = [...bytesByDevice(await pick(spool, scheduler, 30)).values()]
    const all = [...got, ...Array<number>(backlogs.length - got.length).fill(0)]
    assert.ok(Math.max(...all) - Math.min(...all) <= 2 * 1000, all.join(' '))
  }), { numRuns: 25 })
})

test('a device that sends again as soon as its image went takes no more than its part', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool)
  for (let i = 0; i < 300; i++) spool.append(`cam-${i % 10}`)
  const got: Entry[] = []
  spool.append('eager')
  while (got.length < 220) {
    const [entry] = await pick(spool, scheduler, 1)
    got.push(entry ?? assert.fail('nothing came'))
    if (entry?.deviceId === 'eager') spool.append('eager')
  }
  const eager = got.filter(({ deviceId }) => deviceId === 'eager').length
  assert.ok(eager >= 18 && eager <= 22, `${eager} of 220 among 11 devices`)
})

test('a device that was silent has saved up nothing', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool)
  for (let i = 0; i < 500; i++) spool.append('busy')
  await pick(spool, scheduler, 300)
  for (let i = 0; i < 100; i++) spool.append('silent')
  const got = bytesByDevice(await pick(spool, scheduler, 20))
  assert.deepEqual([got.get('busy'), got.get('silent')], [10_000, 10_000])
})

const arrivals = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 })

test('oldest and newest are those of all devices together, and what comes in between takes its place', async () => {
  await fc.assert(fc.asyncProperty(arrivals, arrivals, fc.nat(20), async (first, second, between) => {
    for (const order of ['oldest', 'newest'] as const) {
      const spool = new FakeSpool()
      const scheduler = schedulerOf(spool, order)
      const append = (devices: readonly number[]): Entry[] => devices.map((device) => spool.append(`cam-${device}`))
      const waiting = append(first)
      const before = await pick(spool, scheduler, Math.min(between, first.length))
      waiting.push(...append(second))
      const after = await pick(spool, scheduler, waiting.length - before.length)
      const left = sequences(waiting.filter((entry) => !before.includes(entry)))
      assert.deepEqual(sequences(after), order === 'oldest' ? left : left.reverse(), order)
    }
  }), { numRuns: 40 })
})

test('newest-per-device takes the newest of each device first, then goes on with the oldest', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool, 'newest-per-device')
  for (const device of ['a', 'a', 'a', 'b', 'b', 'c']) spool.append(device) // 1 to 6
  assert.deepEqual(sequences(await pick(spool, scheduler, 4)), [3, 5, 6, 1])
  spool.append('b')
  assert.deepEqual(sequences(await pick(spool, scheduler, 3)), [7, 2, 4])
})

const orders = fc.constantFrom<Order>('fair', 'oldest', 'newest', 'newest-per-device')

test('every entry is picked once, whatever comes, fails, comes back, is tried again or is put in another order meanwhile', async () => {
  const steps = fc.array(fc.record({
    device: fc.nat(3),
    lane: fc.constantFrom(...LANES),
    fate: fc.constantFrom('stored', 'held', 'requeued', 'retried'),
    orderNext: fc.option(orders, { freq: 4 })
  }), { minLength: 1, maxLength: 80 })
  await fc.assert(fc.asyncProperty(steps, orders, async (steps, order) => {
    const spool = new FakeSpool()
    const scheduler = schedulerOf(spool, order)
    const held = new Set<number>()
    let waiting = 0
    const settle = (entry: Entry, fate: string): void => {
      assert.ok(!held.has(entry.sequence), `${entry.sequence} is out already`)
      if (fate === 'retried') return scheduler.retryLater(entry, 0)
      if (fate !== 'requeued') waiting--
      if (fate === 'held') {
        held.add(entry.sequence)
        return
      }
      spool.remove(entry)
      scheduler.done(entry)
      if (fate === 'requeued') spool.put(entry, entry.lane ?? 'normal') // set aside, and retried by an operator
    }
    for (const { device, lane, fate, orderNext } of steps) {
      if (orderNext !== null) scheduler.configure({ ...SCHEDULER_DEFAULTS, order: orderNext })
      spool.append(`cam-${device}`, { lane })
      waiting++
      settle(await scheduler.next(soon()) ?? assert.fail('none'), fate)
    }
    for (let left = waiting; left > 0; left--) settle(await scheduler.next(soon()) ?? assert.fail('none'), 'stored')
    assert.equal(await scheduler.next(AbortSignal.timeout(1)), undefined)
  }), { numRuns: 40 })
})

test('another order holds from the next pick on, for what waits already, too', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool, 'oldest')
  for (const device of ['a', 'a', 'b', 'a', 'b', 'c']) spool.append(device) // 1 to 6
  const change = (order: Order): void => { scheduler.configure({ ...SCHEDULER_DEFAULTS, order }) }
  const underWay = await scheduler.next(soon())
  change('newest')
  assert.deepEqual([underWay?.sequence, ...sequences(await pick(spool, scheduler, 1))], [1, 6])
  change('newest-per-device')
  assert.deepEqual(sequences(await pick(spool, scheduler, 2)), [4, 5])
  change('oldest')
  assert.deepEqual(sequences(await pick(spool, scheduler, 2)), [2, 3])
  assert.equal(await scheduler.next(AbortSignal.timeout(1)), undefined)
})

test('other shares of the lanes hold from the next pick on', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool)
  for (let i = 0; i < 100; i++) for (const lane of ['normal', 'bulk'] as const) spool.append('cam-1', { lane })
  const bulkOf = (entries: readonly Entry[]): number => entries.filter(({ lane }) => lane === 'bulk').length
  const before = bulkOf(await pick(spool, scheduler, 40))
  scheduler.configure({ order: 'fair', lanes: { alarm: 0, normal: 0.2, bulk: 0.8 } })
  const after = bulkOf(await pick(spool, scheduler, 40))
  assert.ok(before <= 12 && after >= 28, `${before} of 40 before, ${after} after`)
})

test('an alarm goes before bulk that is to be tried again', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool)
  const retried = Array.from({ length: 5 }, () => spool.append('cam-1', { lane: 'bulk' }))
  for (const { sequence } of retried) {
    const entry = await scheduler.next(soon())
    assert.equal(entry?.sequence, sequence)
    scheduler.retryLater(entry, 60_000)
  }
  scheduler.retryNow()
  const alarm = spool.append('cam-2', { lane: 'alarm' })
  assert.deepEqual(sequences(await pick(spool, scheduler, 2)), [alarm.sequence, 1])
})

test('what an operator has put first goes before all lanes, the oldest of it first', async () => {
  const spool = new FakeSpool()
  const scheduler = schedulerOf(spool, 'newest')
  const entries = LANES.flatMap((lane) => [1, 2, 3].map(() => spool.append('cam-1', { lane })))
  const [second, first] = [entries[8] ?? assert.fail(), entries[4] ?? assert.fail()]
  await pick(spool, scheduler, 1) // so that it has looked at them
  spool.put(second, 'prioritized')
  spool.put(first, 'prioritized')
  assert.deepEqual(sequences(await pick(spool, scheduler, 2)), sequences([first, second]))
})

test('an alarm that comes behind thousands of bulk images is the next one picked, in every order', async () => {
  for (const order of ['fair', 'oldest', 'newest', 'newest-per-device'] as const) {
    const spool = new FakeSpool()
    const scheduler = schedulerOf(spool, order)
    for (let i = 0; i < 2000; i++) spool.append(`cam-${i % 7}`, { lane: 'bulk' })
    await pick(spool, scheduler, 5)
    const alarm = spool.append('cam-9', { lane: 'alarm' })
    assert.deepEqual(await pick(spool, scheduler, 1), [alarm], order)
  }
})

test('a pick reads a page of a queue at most, and no more of it the more wait', async () => {
  const read = async (count: number): Promise<number> => {
    const spool = new FakeSpool()
    for (let i = 0; i < count; i++) spool.append(`cam-${i % 5}`)
    const scheduler = schedulerOf(spool)
    await pick(spool, scheduler, 40)
    return spool.rowsRead
  }
  assert.equal(await read(4000), await read(400))
})
