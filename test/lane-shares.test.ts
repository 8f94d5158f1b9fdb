import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LANES, type Lane } from '../bridge/entry.ts'
import { LaneShares } from '../bridge/uplink/lane-shares.ts'

const SHARES = { alarm: 0.4, normal: 0.4, bulk: 0.2 }
const BYTES_MAX = 1_000_000
const sizes = fc.array(fc.integer({ min: 1, max: BYTES_MAX }), { minLength: 200, maxLength: 400 })
const shares = fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100), fc.integer({ min: 1, max: 100 }))
  .map(([alarm, normal, bulk, none]) => {
    const sum = alarm + normal + bulk + none
    return { alarm: alarm / sum, normal: normal / sum, bulk: bulk / sum }
  })

/** What each lane got of images of these sizes while `waiting` said what waits. */
function send (
  lanes: LaneShares, bytesOf: readonly number[], waiting: (nth: number) => readonly Lane[]
): Record<Lane, number> {
  const sent = { alarm: 0, normal: 0, bulk: 0 }
  for (const [nth, bytes] of bytesOf.entries()) {
    const lane = lanes.choose(waiting(nth))
    if (lane === undefined) continue
    assert.ok(waiting(nth).includes(lane), `${lane} has nothing to send`)
    lanes.sent(lane, bytes, waiting(nth))
    sent[lane] += bytes
  }
  return sent
}

test('a lane that always has something gets its share, whatever the sizes, the shares and the other lanes do', () => {
  fc.assert(fc.property(shares, sizes, fc.constantFrom(...LANES), fc.array(fc.subarray([...LANES]), { minLength: 1 }),
    (shares, sizes, steady, others) => {
      const waiting = (nth: number): Lane[] =>
        LANES.filter((lane) => lane === steady || others[nth % others.length]?.includes(lane))
      const sent = send(new LaneShares(shares), sizes, waiting)
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
      assert.ok(sent[steady] >= total * shares[steady] - 3 * BYTES_MAX, `${sent[steady]} of ${total}`)
    }))
})

test('the line never stands still while a lane has something: a lane alone gets all of it', () => {
  fc.assert(fc.property(shares, sizes, fc.constantFrom(...LANES), (shares, sizes, only) => {
    const sent = send(new LaneShares(shares), sizes, () => [only])
    assert.equal(sent[only], sizes.reduce((sum, bytes) => sum + bytes, 0))
  }))
})

test('what the normal lane leaves goes to alarms, and bulk keeps its share', () => {
  const sent = send(new LaneShares(SHARES), Array<number>(1000).fill(1000), () => ['alarm', 'bulk'])
  assert.deepEqual([Math.round(sent.alarm / 1e4), Math.round(sent.bulk / 1e4)], [80, 20])
})

test('an alarm goes next, however long bulk had the line for itself', () => {
  fc.assert(fc.property(sizes, (sizes) => {
    const lanes = new LaneShares(SHARES)
    send(lanes, sizes, () => ['bulk'])
    assert.equal(lanes.choose(LANES), 'alarm')
  }))
})

test('a lane earns nothing while it is empty: after a pause bulk gets its share and no more', () => {
  const lanes = new LaneShares(SHARES)
  send(lanes, Array<number>(1000).fill(1000), () => ['alarm'])
  const sent = send(lanes, Array<number>(100).fill(1000), () => ['alarm', 'bulk'])
  assert.ok(sent.bulk <= 22_000, `${sent.bulk}`)
})

test('what a lane was lent it need not pay back', () => {
  const lanes = new LaneShares(SHARES)
  send(lanes, Array<number>(1000).fill(1000), () => ['normal', 'bulk'])
  const sent = send(lanes, Array<number>(100).fill(1000), () => LANES)
  assert.ok(sent.normal >= 38_000, `${sent.normal}`)
})

test('alarms that come one by one, nearly as many as the line carries, leave bulk its share', () => {
  const isQuiet = (nth: number): boolean => nth % 20 === 0
  const sent = send(new LaneShares(SHARES), Array<number>(1000).fill(1000),
    (nth) => isQuiet(nth) ? ['bulk'] : ['alarm', 'bulk'])
  assert.ok(sent.bulk >= 199_000, `${sent.bulk}`)
})
