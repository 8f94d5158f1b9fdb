import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newImagesUp } from '../bridge/lane-forecast.ts'
import { constantPace, rememberedPace, type PaceAt } from '../bridge/plan/pace.ts'
import { describeStatus, type Facts } from '../bridge/status.ts'
import type { Order } from '../bridge/uplink/lane-queue.ts'
import { LaneShares } from '../bridge/uplink/lane-shares.ts'
import { LANES, type Lane } from '../bridge/entry.ts'
import { MB, NOTHING, NOW, NONE, down, facts, inflow } from './helpers/facts.ts'

type Waiting = Partial<Record<Lane | 'prioritized', number>>

/** So many MB wait, in images of 0.25 MB of four devices, and so many images a second come in. */
function site (waiting: Waiting, coming: Partial<Record<Lane, number>>, more: Parameters<typeof facts>[0] = {}): Facts {
  const queue = (mb = 0): Facts['spool']['queues'][Lane] =>
    ({ waiting: { count: 4 * mb, bytes: mb * MB }, devices: Math.min(4, 4 * mb), oldestReceivedAt: undefined })
  const lane = (perSecond = 0): typeof NONE => ({ in: inflow(perSecond), taken: { count: 1, bytes: 1 } })
  const { prioritized, alarm, normal, bulk } = waiting
  const total = Object.values(waiting).reduce((sum, mb) => sum + mb, 0)
  return facts({
    ...more,
    spool: {
      waiting: { count: 4 * total, bytes: total * MB },
      queues: { prioritized: queue(prioritized), alarm: queue(alarm), normal: queue(normal), bulk: queue(bulk) }
    },
    flow: { lanes: { alarm: lane(coming.alarm), normal: lane(coming.normal), bulk: lane(coming.bulk) } }
  })
}

const LINE = constantPace(5 * MB)
const lanes = { alarm: 0.4, normal: 0.4, bulk: 0.2 }
const ordered = (order: Order): Pick<Facts, 'scheduling'> => ({ scheduling: { order, lanes } })

function about (actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-6 * Math.max(1, expected), `${actual} is not ${expected}`)
}

test('an alarm of now is up at its guaranteed share while normal and bulk wait, and they behind what waits in theirs', () => {
  const { alarm, normal, bulk } = newImagesUp(site({ normal: 300, bulk: 100 }, {}), LINE)
  about(alarm, 0.25 / 2)
  about(normal, 300.25 / 4) // with the share of an alarm lane that is empty
  about(bulk, 300 / 4 + (100.25 - 75) / 5) // and then with all of the line
})

test('what comes in a lane that keeps up is taken off what the others borrow', () => {
  const { normal } = newImagesUp(site({ normal: 300 }, { alarm: 4, bulk: 4 }), LINE) // 1 MB/s each
  about(normal, 300.25 / 3)
  const { bulk } = newImagesUp(site({ bulk: 100 }, { normal: 40 }), LINE) // 10 MB/s: more than there is
  about(bulk, 100.25 / 1)
})

test('a lane without a guaranteed share waits until those before it are empty, and for ever where they never are', () => {
  const scheduling = { order: 'fair', lanes: { alarm: 0.5, normal: 0.5, bulk: 0 } } as const
  about(newImagesUp(site({ normal: 50, bulk: 10 }, {}, { scheduling }), LINE).bulk, 50 / 5 + 10.25 / 5)
  assert.equal(newImagesUp(site({ normal: 50, bulk: 10 }, { normal: 21 }, { scheduling }), LINE).bulk, undefined)
})

test('what an operator put first, and what is under way in other lanes, goes before an image of any lane', () => {
  const { prioritized, alarm, bulk } = newImagesUp(
    site({ prioritized: 20, bulk: 100 }, {}, { uplink: { uploadingBytes: 2 * MB } }), LINE)
  about(prioritized, (20 + 2 + 0.25) / 5)
  about(alarm, (20 + 2) / 5 + 0.25 / (5 * 0.8))
  about(bulk, (20 + 100.25) / 5)
})

test('the newest first is soon while the lane sends more than it gets, and unknown where newer ones overtake for ever', () => {
  const newest = newImagesUp(site({ normal: 300 }, { normal: 8 }, ordered('newest')), LINE) // 2 of 5 MB/s
  about(newest.normal, 0.25 / 3)
  assert.equal(newImagesUp(site({ normal: 300 }, { normal: 21 }, ordered('newest')), LINE).normal, undefined)
})

test('the newest of each device is up after one of each other device, however much waits', () => {
  about(newImagesUp(site({ normal: 300 }, {}, ordered('newest-per-device')), LINE).normal, 5 * 0.25 / 5)
})

test('an image of now waits for a line that is off, lane by lane, and its time is unknown while the uplink is down', () => {
  const until = NOW + 7_200_000
  const outAt: PaceAt = (ms) => ms < until ? { bytesPerSecond: 0, until } : LINE(ms)
  const { alarm, normal } = newImagesUp(site({ normal: 300 }, {}), outAt)
  about(alarm, 7200 + 0.25 / 3)
  about(normal, 7200 + 300.25 / 5)
  const { backlog } = describeStatus(site({ normal: 300 }, {}, { uplink: { state: down } }))
  assert.deepEqual(LANES.map((lane) => backlog.lanes[lane].newImageUpInSeconds), [undefined, undefined, undefined])
  assert.equal(describeStatus(facts()).backlog.lanes.prioritized.count, NOTHING.waiting.count)
})

/** Image by image, as the uplink does it: when the last of `lane` is up that waits now, and one more. */
function played (waiting: Readonly<Record<Lane, number>>, lane: Lane): number {
  const shares = new LaneShares(lanes)
  const left = { ...waiting, [lane]: waiting[lane] + 1 }
  for (let sent = 1; sent <= 1_000_000; sent++) {
    const some = LANES.filter((one) => left[one] > 0)
    const turn = shares.choose(some)
    assert.ok(turn !== undefined)
    shares.sent(turn, 250_000, some)
    left[turn]--
    if (left[lane] === 0) return sent * 0.25 / 5
  }
  throw new Error('it never came')
}

test('the forecast of each lane is what the sharing of the lanes comes to, image by image', () => {
  const given = [
    { alarm: 20, normal: 300, bulk: 100 }, { alarm: 200, normal: 10, bulk: 50 }, { alarm: 0, normal: 40, bulk: 400 }
  ]
  for (const waiting of given) {
    const forecast = newImagesUp(site(waiting, {}), LINE)
    for (const lane of LANES) {
      const images = { alarm: 4 * waiting.alarm, normal: 4 * waiting.normal, bulk: 4 * waiting.bulk }
      const [expected, actual = Infinity] = [played(images, lane), forecast[lane]]
      assert.ok(Math.abs(actual - expected) <= 0.02 * expected + 0.2, `${lane}: ${actual}, and it was ${expected}`)
    }
  }
})

test('a status asks the timetable once for each of its slots, however many forecasts walk through it', () => {
  let asked = 0
  const halfDay = 43_200_000
  const allowanceAt: PaceAt = (ms) => {
    asked++
    return { bytesPerSecond: 1000, until: (Math.floor(ms / halfDay) + 1) * halfDay }
  }
  const remembered = rememberedPace(allowanceAt)
  for (let ms = NOW; ms < NOW + 20 * halfDay; ms += halfDay / 7) assert.equal(remembered(ms).bytesPerSecond, 1000)
  assert.ok(asked <= 21, `${asked} times`)
})
